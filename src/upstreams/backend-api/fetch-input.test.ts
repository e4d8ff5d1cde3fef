import { expect, test } from 'vitest';
import { Failure } from '../../http/failure.ts';
import { type FetchPace, openAddress } from './fetch-input.ts';

const pace: FetchPace = { totalSeconds: 0.6, graceSeconds: 0.1, bytesPerSecond: 1_000_000 };

/** Opens an address whose body is made of these pieces, with a pause before each. */
function opening(pieces: readonly number[], pauseMs: number, options: Partial<FetchPace> = {}) {
  let isCancelled = false;
  let at = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const size = pieces[at++];
        if (size === undefined) return controller.close();
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
        if (!isCancelled) controller.enqueue(new Uint8Array(size));
      },
      cancel() {
        isCancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  const http = { fetchPublic: async () => new Response(body, { headers: { 'content-type': 'image/png' } }) };
  const file = openAddress(http, 'https://pictures.example/a.png', {
    allow: new Set(),
    maxBytes: 1_000_000,
    signal: new AbortController().signal,
    tooLarge: () => new Failure('body_too_large', 'too large'),
    pace: { ...pace, ...options },
  });
  return { file, isCancelled: () => isCancelled };
}

test('reads the first 64 KiB at once and the rest on demand', async () => {
  const { file } = opening(Array(10).fill(20_000), 0);
  const opened = await file;
  expect(opened.type).toBe('image/png');
  expect(await opened.read()).toHaveLength(200_000);
});

test('a body slower than the least rate is given up', async () => {
  const { file, isCancelled } = opening(Array(50).fill(1), 20);
  await expect(file).rejects.toThrow('too slowly');
  expect(isCancelled()).toBe(true);
});

test('a body that keeps the rate is given up at the end of its time', async () => {
  const { file, isCancelled } = opening(Array(50).fill(16_000), 50, { bytesPerSecond: 100_000 });
  await expect(file.then((opened) => opened.read())).rejects.toThrow('too slowly');
  expect(isCancelled()).toBe(true);
});

test('time spent in a queue before the rest is read does not count', async () => {
  const { file } = opening(Array(5).fill(40_000), 0, { totalSeconds: 0.4, graceSeconds: 0.4 });
  const opened = await file;
  await new Promise((resolve) => setTimeout(resolve, 800));
  expect(await opened.read()).toHaveLength(200_000);
});

test('a body larger than the limit is cancelled', async () => {
  const { file, isCancelled } = opening(Array(20).fill(60_000), 0);
  await expect(file.then((opened) => opened.read())).rejects.toThrow('too large');
  expect(isCancelled()).toBe(true);
});

test('a file that is left is cancelled', async () => {
  const { file, isCancelled } = opening(Array(20).fill(60_000), 0);
  (await file).cancel();
  expect(isCancelled()).toBe(true);
});
