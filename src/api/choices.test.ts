import { describe, expect, test } from 'vitest';
import { createChunkLines } from '../openai/chunks.ts';
import type { AnswerPart, AnswerWriter } from '../segments/answer.ts';
import type { SegmentBatches } from '../upstreams/upstream.ts';
import { type ChoicePart, createChoice } from './choices.ts';

const source = (start: number, end: number) => ({ start, end, title: 'T', url: 'https://a.example/' });
const piece = (content: string, annotations: ReturnType<typeof source>[] = []): AnswerPart => ({
  kind: 'piece',
  content,
  reasoning: '',
  annotations,
});

const answer: readonly AnswerPart[] = [
  piece('One [1]', [source(4, 7)]),
  piece(' two [2]', [source(12, 15)]),
  piece(' three.'),
  { kind: 'finish', reason: 'stop' },
];

/** A writer that gives parts which are written already. */
function written(parts: readonly AnswerPart[]): AnswerWriter {
  const left = [...parts];
  return { push: () => {}, take: () => left.shift() ?? null, pending: () => null };
}

const noBatches: SegmentBatches = {
  next: async () => ({ done: true, value: undefined }),
  return: async () => ({ done: true, value: undefined }),
  [Symbol.asyncIterator]: () => noBatches,
};

async function choice(stop: readonly string[] = []): Promise<ChoicePart[]> {
  const options = { stop, maxTokens: null, countTokens: (text: string) => text.length };
  const choices = createChoice(0, noBatches, written(answer), options);
  const parts: ChoicePart[] = [];
  for (let part = await choices.next(); part; part = await choices.next()) parts.push(part);
  return parts;
}

/** The chunks' deltas, as a client gets them. */
function deltasOf(parts: readonly ChoicePart[]): Record<string, unknown>[] {
  const lines = createChunkLines({ id: 'c', created: 1, model: 'm' }, false);
  const text = parts.map((part) => {
    if (part.kind === 'finish') return lines.finish(0, part.reason);
    if (part.kind === 'error') return '';
    const content = part.content === '' ? '' : lines.content(0, part.content);
    return content + (part.annotations.length > 0 ? lines.annotations(0, part.annotations) : '');
  });
  const data = text
    .join('')
    .split('\n')
    .filter((line) => line.startsWith('data: '));
  return data.map((line) => JSON.parse(line.slice(6)).choices[0].delta);
}

/**
 * The rule of openai-python's accumulator (`lib/streaming/_deltas.py`): texts are joined, and a
 * list that comes a second time must hold objects with an `index`; otherwise it raises.
 */
function accumulate(deltas: readonly Record<string, unknown>[]): Record<string, unknown> {
  const message: Record<string, unknown> = {};
  for (const delta of deltas)
    for (const [key, value] of Object.entries(delta)) {
      const known = message[key];
      if (known === undefined) message[key] = value;
      else if (typeof known === 'string' && typeof value === 'string') message[key] = known + value;
      else if (Array.isArray(known) && Array.isArray(value))
        for (const item of value as { index?: unknown }[]) {
          if (typeof item.index !== 'number')
            throw new Error('Expected list delta entry to have an index key');
          known[item.index] = item;
        }
    }
  return message;
}

describe('the sources of an answer', () => {
  test('come in one list, in the last delta before the finish, with their places', async () => {
    const deltas = deltasOf(await choice());
    const last = deltas.at(-2) as {
      annotations: { url_citation: { start_index: number; end_index: number } }[];
    };
    expect(deltas.filter(({ annotations }) => annotations)).toEqual([last]);
    const message = accumulate(deltas);
    const places = last.annotations.map(({ url_citation: { start_index: start, end_index: end } }) =>
      (message.content as string).slice(start, end),
    );
    expect(places).toEqual(['[1]', '[2]']);
  });

  test('that stand beyond a cut are left out', async () => {
    const parts = await choice([' two']);
    const message = accumulate(deltasOf(parts));
    expect(message.content).toBe('One [1]');
    expect(message.annotations).toHaveLength(1);
    expect(parts.at(-1)).toEqual({ index: 0, kind: 'finish', reason: 'stop' });
  });
});
