import { expect, test } from 'vitest';
import { createIdleTimer } from './idle-timer.ts';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function watched(seconds: number) {
  const seen = { late: 0 };
  return { watch: createIdleTimer(seconds, () => seen.late++), seen };
}

test('a wait that takes too long is reported once', async () => {
  const { watch, seen } = watched(0.05);
  watch.start();
  await expect.poll(() => seen.late).toBe(1);
  await pause(150);
  expect(seen.late).toBe(1);
});

test('waits that are each short enough are not, nor is time in which nothing is waited for', async () => {
  const { watch, seen } = watched(1);
  for (let i = 0; i < 6; i++) {
    watch.start();
    await pause(200);
    watch.stop();
  }
  await pause(1100);
  expect(seen.late).toBe(0);
  watch.start();
  await expect.poll(() => seen.late).toBe(1);
});

test('nothing is reported after its end, or without a limit', async () => {
  const ended = watched(0.03);
  ended.watch.start();
  ended.watch.end();
  const unlimited = watched(0);
  unlimited.watch.start();
  await pause(100);
  expect([ended.seen.late, unlimited.seen.late]).toEqual([0, 0]);
});
