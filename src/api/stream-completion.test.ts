import { expect, test } from 'vitest';
import type { RecordFields } from '../call.ts';
import { createAnswerWriter, type Publish } from '../segments/answer.ts';
import type { Segment } from '../segments/segment.ts';
import { markdownStyle } from '../segments/style.ts';
import type { SegmentBatches } from '../upstreams/upstream.ts';
import type { ChatParameters } from './chat-request.ts';
import { type Choices, createChoice, mergeChoices, paceChoice } from './choices.ts';
import { jsonWithHeartbeat } from './json-heartbeat.ts';
import { streamCompletion } from './stream-completion.ts';

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const text = (value: string): Segment => ({ kind: 'text', text: value });
const picture: Segment = {
  kind: 'image',
  asset: { from: 'file', id: 'f', pointer: 'file-service://f' },
  prompt: 'a gate',
};
const stop: Segment = { kind: 'finish', reason: 'stop' };
const failure: Segment = { kind: 'error', message: 'Went wrong.', code: 'upstream_timeout' };

/** Batches in turn; `left` says whether the turn was ended early. */
function turn(...list: (readonly Segment[])[]): SegmentBatches & { left: boolean } {
  return {
    left: false,
    async next() {
      const value = list.shift();
      return value ? { done: false, value } : { done: true, value: undefined };
    },
    async return() {
      this.left = true;
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

const unlimited = { stop: [], maxTokens: null, countTokens: (value: string) => value.length };
const choiceOf = (
  batches: SegmentBatches,
  {
    publish = async () => ({ url: 'https://pictures.example/1' }),
    index = 0,
    limits = unlimited,
  }: {
    publish?: Publish;
    index?: number;
    limits?: Parameters<typeof createChoice>[3];
  } = {},
) => createChoice(index, batches, createAnswerWriter(markdownStyle, publish), limits);
const all = async (choices: Choices) => {
  const out = [];
  for (let part = await choices.next(); part; part = await choices.next()) out.push(part);
  return out;
};
const parameters = { count: 1, stream: true, includeUsage: false } as unknown as ChatParameters;
const newRecord = (): RecordFields => ({ route: 'chat', upstream: 'web', model: 'gpt-4' }) as RecordFields;
const streamed = (choices: Choices, record = newRecord()) =>
  streamCompletion(choices, {
    head: { id: 'c', created: 1, model: 'gpt-4' },
    parameters,
    keepAlive: 0,
    keepAliveStyle: 'auto',
    usageOf: () => ({ prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }),
    record,
  });

test('a stream that breaks ends with an error event, and its record says so', async () => {
  const record = newRecord();
  const batches = turn([text('Half')], [failure]);
  const response = await streamed(choiceOf(batches), record);
  const body = await response.text().catch(() => 'unclean');
  if (body !== 'unclean') {
    expect(body).toContain('Half');
    expect(body).toContain('"message":"Went wrong."');
    expect(body).not.toContain('[DONE]');
  }
  expect(record).toMatchObject({ error: 'Went wrong.', endedBy: 'timeout' });
  expect(batches.left).toBe(true);
});

test('an error before the first part is thrown, and nothing is recorded', async () => {
  const record = newRecord();
  await expect(streamed(choiceOf(turn([failure])), record)).rejects.toThrow('Went wrong.');
  expect(record.error).toBeUndefined();
});

test('JSON with a heartbeat records its error too', async () => {
  const record = newRecord();
  const work = Promise.reject(new Error('unforeseen'));
  const response = jsonWithHeartbeat(work, { everySeconds: 1, record, onLeave: () => {} });
  expect(await response.json()).toMatchObject({ error: { code: 'internal_error' } });
  expect(record.endedBy).toBe('gateway');
});

test('text before a picture goes out while the picture is published', async () => {
  const published = Promise.withResolvers<{ url: string }>();
  const choice = choiceOf(turn([text('See:'), picture, text('There.'), stop]), {
    publish: () => published.promise,
  });
  expect(await choice.next()).toMatchObject({ content: 'See:' });
  let isWaiting = true;
  const next = choice.next().finally(() => {
    isWaiting = false;
  });
  await sleep(10);
  expect(isWaiting).toBe(true);
  published.resolve({ url: 'https://pictures.example/1' });
  expect(await next).toMatchObject({
    content: '\n\n![a gate](https://pictures.example/1)\n\nThere.',
  });
  expect(await choice.next()).toMatchObject({ kind: 'finish', reason: 'stop' });
  expect(await choice.next()).toBeNull();
});

test('a picture that cannot be published is a note, and each asset is published once', async () => {
  let count = 0;
  const parts = await all(
    choiceOf(turn([picture, picture, stop]), {
      publish: () => {
        count++;
        return Promise.reject(new Error('gone'));
      },
    }),
  );
  expect(parts[0]).toMatchObject({ content: expect.stringContaining('could not be fetched: gone') });
  expect(count).toBe(1);
});

test('a stop sequence ends the turn behind it', async () => {
  const batches = turn([text('one two')], [text(' three'), stop]);
  const parts = await all(choiceOf(batches, { limits: { ...unlimited, stop: ['two'] } }));
  expect(parts).toMatchObject([
    { kind: 'piece', content: 'one ' },
    { kind: 'finish', reason: 'stop' },
  ]);
  expect(batches.left).toBe(true);
});

test('several choices come as they are ready, each with its index', async () => {
  const slow = turn([text('slow'), stop]);
  const late = { ...slow, next: () => sleep(20).then(() => slow.next()) };
  const merged = mergeChoices([
    choiceOf(late, { index: 0 }),
    choiceOf(turn([text('fast')], [stop]), { index: 1 }),
  ]);
  expect((await all(merged)).map(({ index, kind }) => `${index} ${kind}`)).toEqual([
    '1 piece',
    '1 finish',
    '0 piece',
    '0 finish',
  ]);
});

test('a paced choice cuts long pieces between characters', async () => {
  const long = '🌊'.repeat(20);
  const parts = await all(paceChoice(choiceOf(turn([text(long), stop])), 1));
  const contents = parts.flatMap((part) => (part.kind === 'piece' ? [part.content] : []));
  expect(contents.map((content) => [...content].length)).toEqual([16, 4]);
  expect(contents.join('')).toBe(long);
});
