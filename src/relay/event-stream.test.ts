import { expect, test } from 'vitest';
import { readUntilBroken } from '../../test/read-until-broken.ts';
import { createEventStream, type EventStreamOptions } from './event-stream.ts';

const encode = (text: string) => new TextEncoder().encode(text);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

type Step = string | number | Error;

/** A source that gives texts, waits milliseconds, or fails. */
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

const made = (steps: readonly Step[], options: Partial<EventStreamOptions> = {}) =>
  createEventStream(source(steps).getReader(), {
    keepAlive: 0,
    heartbeat: () => encode(': beat\n'),
    errorEvent: (error) => `data: ${(error as Error).message}\n\n`,
    ...options,
  });
const read = (stream: ReadableStream<Uint8Array>) => readUntilBroken(new Response(stream));

test('passes bytes as they come', async () => {
  const { text, isBroken } = await read(made(['data: a', '\n\n', 'data: [DONE]\n\n']));
  expect([text, isBroken]).toEqual(['data: a\n\ndata: [DONE]\n\n', false]);
});

test('fills silence between events with heartbeats, and leaves silence inside one alone', async () => {
  const between = await read(made(['data: a\n\n', 300, 'data: b\n\n'], { keepAlive: 0.05 }));
  expect(between.text).toMatch(/^data: a\n\n(: beat\n)+data: b\n\n$/);
  const inside = await read(made(['data: a', 300, '\n\n'], { keepAlive: 0.05 }));
  expect(inside.text).toBe('data: a\n\n');
});

test('ends with an error event and unclean if the source fails', async () => {
  expect(await read(made(['data: a\n\n', new Error('gone')]))).toEqual({
    text: 'data: a\n\ndata: gone\n\n',
    isBroken: true,
  });
  expect((await read(made(['data: a', new Error('gone')]))).text).toBe('data: a\n\ndata: gone\n\n');
});

test('reads no further than its reader, and cancels the source when the reader leaves', async () => {
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
  const stream = createEventStream(endless.getReader(), {
    keepAlive: 0,
    heartbeat: () => encode(''),
    errorEvent: () => '',
  });
  const reader = stream.getReader();
  await reader.read();
  await reader.read();
  await pause(20);
  expect(pulled).toBeLessThanOrEqual(3);
  await reader.cancel('left');
  expect(reason).toBe('left');
});
