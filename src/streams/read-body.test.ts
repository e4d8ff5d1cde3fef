import { expect, test } from 'vitest';
import { limitTransfer } from './limit-transfer.ts';
import { readBody } from './read-body.ts';

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const limits = { maxBytes: 100, idleSeconds: 0.2, totalSeconds: 0.6 };
const read = (body: ReadableStream<Uint8Array>, more: Partial<typeof limits> = {}) =>
  readBody(body, { ...limits, ...more }, (limit) => new Error(limit)).then(
    (bytes) => bytes.length,
    (error: Error) => error.message,
  );

/** Chunks of some bytes, one each `everyMs`; without an end if `count` is infinite. */
function body(count: number, size: number, everyMs: number) {
  const seen = { cancelled: false };
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await sleep(everyMs);
      if (seen.cancelled) return;
      if (count-- > 0) controller.enqueue(new Uint8Array(size));
      else controller.close();
    },
    cancel() {
      seen.cancelled = true;
    },
  });
  return { stream, seen };
}

test('a body within its limits is read whole', async () => {
  expect(await read(body(10, 10, 1).stream)).toBe(100);
  expect(await readBody(null, limits, () => new Error())).toHaveLength(0);
});

test('a body beyond a limit fails with that limit, and is cancelled', async () => {
  const large = body(Infinity, 60, 1);
  const silent = body(Infinity, 1, 5000);
  const drip = body(Infinity, 1, 50);
  expect(await Promise.all([read(large.stream), read(silent.stream), read(drip.stream)])).toEqual([
    'size',
    'silence',
    'time',
  ]);
  expect([large.seen, silent.seen, drip.seen].every(({ cancelled }) => cancelled)).toBe(true);
});

test('a body that ignores its cancellation is left all the same', async () => {
  const deaf = new ReadableStream<Uint8Array>({
    pull: () => new Promise(() => {}),
    cancel: () => new Promise(() => {}),
  });
  expect(await read(deaf)).toBe('silence');
});

test('a transfer may take longer the more of it arrives', async () => {
  const slow = { idleSeconds: 0, graceSeconds: 0.3, bytesPerSecond: 100 };
  const tooSlow = () => new Error('too slow');
  const whole = async (stream: ReadableStream<Uint8Array>) =>
    (await new Response(limitTransfer(stream, slow, tooSlow)).arrayBuffer()).byteLength;
  const drip = body(Infinity, 1, 30);
  // 400 bytes in 0.4 s have 4.3 s; a byte each 30 ms has some 0.4 s in all.
  expect(await whole(body(8, 50, 50).stream)).toBe(400);
  await expect(whole(drip.stream)).rejects.toThrow('too slow');
  expect(drip.seen.cancelled).toBe(true);
});

test('a transfer that falls silent fails, and one that is left is cancelled', async () => {
  const idle = { idleSeconds: 0.1, graceSeconds: 60, bytesPerSecond: 1 };
  const silent = body(Infinity, 1, 5000);
  const stream = limitTransfer(silent.stream, idle, () => new Error('silent'));
  await expect(new Response(stream).text()).rejects.toThrow('silent');
  const left = body(Infinity, 1, 10);
  await limitTransfer(left.stream, idle, () => new Error('silent')).cancel();
  expect(left.seen.cancelled).toBe(true);
});
