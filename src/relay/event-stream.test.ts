import { expect, test } from 'vitest';
import { carryEventStream, type EventStreamOptions, endingOf } from './event-stream.ts';

const encode = (text: string) => new TextEncoder().encode(text);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

type Step = string | number | Error;

/** A source that gives texts, waits milliseconds, or breaks. */
function source(steps: readonly Step[]): ReadableStream<Uint8Array> {
  const left = [...steps];
  return new ReadableStream(
    {
      async pull(controller) {
        let step = left.shift();
        while (typeof step === 'number') {
          await pause(step);
          step = left.shift();
        }
        if (step === undefined) controller.close();
        else if (step instanceof Error) controller.error(step);
        else controller.enqueue(encode(step));
      },
    },
    { highWaterMark: 0 },
  );
}

function carried(steps: readonly Step[], more: Partial<EventStreamOptions> = {}) {
  const ended: string[] = [];
  const stream = carryEventStream(source(steps).getReader(), {
    keepAlive: 0,
    idle: 0,
    errorEvent: (_error, idle) => `data: ${idle ? 'idle' : 'broken'}\n\n`,
    ...more,
  });
  void endingOf(stream)?.then(({ by, bytes }) => ended.push(`${by} ${bytes}`));
  return { stream, ended, text: new Response(stream).text() };
}

test('carries bytes as they come and says how many', async () => {
  const { text, ended } = carried(['data: a', '\n\n', 'data: [DONE]\n\n']);
  expect(await text).toBe('data: a\n\ndata: [DONE]\n\n');
  expect(ended).toEqual(['done 23']);
});

test('fills silence between events with comments, and leaves silence inside one alone', async () => {
  expect(await carried(['data: a\n\n', 90, 'data: b\n\n'], { keepAlive: 0.04 }).text).toBe(
    'data: a\n\n: keep-alive\n\n: keep-alive\n\ndata: b\n\n',
  );
  expect(await carried(['data: a', 90, '\n\n'], { keepAlive: 0.04 }).text).toBe('data: a\n\n');
});

test('ends a broken stream with an error event of its own', async () => {
  const between = carried(['data: a\n\n', new Error('gone')]);
  expect(await between.text).toBe('data: a\n\ndata: broken\n\n');
  expect(between.ended).toEqual(['upstream 23']);
  expect(await carried(['data: a', new Error('gone')]).text).toBe('data: a\n\ndata: broken\n\n');
});

test('gives up an upstream that stays silent, comments or not', async () => {
  const { text, ended } = carried(['data: a\n\n', 5000], { idle: 0.1, keepAlive: 0.06 });
  expect(await text).toBe('data: a\n\n: keep-alive\n\ndata: idle\n\n');
  expect(ended).toEqual(['timeout 35']);
});

test('reads no further than its reader, and stops the source when the reader leaves', async () => {
  let reason: unknown = null;
  let pulled = 0;
  const endless = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        pulled++;
        controller.enqueue(encode('data: x\n\n'));
      },
      cancel(why) {
        reason = why;
      },
    },
    { highWaterMark: 0 },
  );
  const ended: string[] = [];
  const stream = carryEventStream(endless.getReader(), {
    keepAlive: 0,
    idle: 0,
    errorEvent: () => '',
  });
  void endingOf(stream)?.then(({ by }) => ended.push(by));
  const reader = stream.getReader();
  await reader.read();
  await reader.read();
  await pause(20);
  expect(pulled).toBeLessThanOrEqual(3);
  await reader.cancel('left');
  expect(reason).toBe('left');
  expect(ended).toEqual(['client']);
});
