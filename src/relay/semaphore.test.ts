import { expect, test } from 'vitest';
import { createSemaphore } from './semaphore.ts';

const never = new AbortController().signal;

test('so many at once, and those who wait get in in their order', async () => {
  const slots = createSemaphore({ limit: 2, queue: 10, waitMs: 1000 });
  const [one, two] = [slots.tryAcquire(), slots.tryAcquire()];
  expect(slots.tryAcquire()).toBeNull();
  const order: number[] = [];
  const waiting = [1, 2, 3].map(async (i) => {
    const release = await slots.acquire(never);
    order.push(i);
    return release;
  });
  expect(slots.waiting).toBe(3);
  one?.();
  two?.();
  (await waiting[0])?.();
  await Promise.all(waiting);
  expect(order).toEqual([1, 2, 3]);
  expect(slots.busy).toBe(2);
});

test('a slot is given back once, however often that is said', () => {
  const slots = createSemaphore({ limit: 1, queue: 0, waitMs: 0 });
  const release = slots.tryAcquire();
  release?.();
  release?.();
  expect(slots.busy).toBe(0);
  expect(slots.tryAcquire()).not.toBeNull();
  expect(slots.tryAcquire()).toBeNull();
});

test('a full line, a wait that is too long, a caller that leaves: none of them gets in, and none stays in line', async () => {
  const slots = createSemaphore({ limit: 1, queue: 1, waitMs: 20 });
  const release = slots.tryAcquire();
  const late = slots.acquire(never);
  expect(await slots.acquire(never)).toBeNull();
  expect(await late).toBeNull();
  expect(slots.waiting).toBe(0);
  const leaving = new AbortController();
  const left = slots.acquire(leaving.signal);
  leaving.abort();
  expect(await left).toBeNull();
  expect(await slots.acquire(AbortSignal.abort())).toBeNull();
  release?.();
  expect(slots.busy).toBe(0);
});

test('counts add up whatever comes', async () => {
  const slots = createSemaphore({ limit: 3, queue: 50, waitMs: 50 });
  let inside = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 50 }, async (_, i) => {
      const leaving = new AbortController();
      if (i % 7 === 0) setTimeout(() => leaving.abort(), i % 5);
      const release = await slots.acquire(leaving.signal);
      if (!release) return;
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setTimeout(resolve, i % 4));
      inside--;
      release();
    }),
  );
  expect(most).toBe(3);
  expect([slots.busy, slots.waiting, inside]).toEqual([0, 0, 0]);
});
