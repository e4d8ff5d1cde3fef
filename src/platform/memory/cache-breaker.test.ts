import { expect, test } from 'vitest';
import { createMemoryCache } from './cache.ts';
import { withCircuitBreaker } from './cache-breaker.ts';

function made() {
  const state = { now: 0, isBroken: false, calls: 0, log: [] as string[] };
  const memory = createMemoryCache(() => state.now);
  const checked = <R>(call: () => Promise<R>): Promise<R> => {
    state.calls++;
    return state.isBroken ? Promise.reject(new Error('down')) : call();
  };
  const cache = withCircuitBreaker(
    {
      get: (key) => checked(() => memory.get(key)),
      set: (key, value, ttlSeconds) => checked(() => memory.set(key, value, ttlSeconds)),
      delete: (key) => checked(() => memory.delete(key)),
    },
    {
      now: () => state.now,
      onFailure: (error) => void state.log.push(String(error)),
      onRecovery: () => void state.log.push('recovered'),
    },
  );
  return { cache, state };
}

test('passes calls through while the cache works', async () => {
  const { cache, state } = made();
  await cache.set(['a'], 1, 100);
  expect(await cache.get(['a'])).toBe(1);
  await cache.delete(['a']);
  expect(await cache.get(['a'])).toBeUndefined();
  expect(state.log).toEqual([]);
});

test('an error is a miss, logged once, and the cache is not asked again for 5 seconds', async () => {
  const { cache, state } = made();
  await cache.set(['a'], 1, 100);
  state.isBroken = true;
  state.calls = 0;
  for (let i = 0; i < 10; i++) expect(await cache.get(['a'])).toBeUndefined();
  await cache.set(['b'], 1, 100);
  await cache.delete(['a']);
  expect(state.calls).toBe(1);
  state.now = 5000;
  await Promise.all([cache.get(['a']), cache.get(['a']), cache.get(['a'])]);
  expect(state.calls).toBe(2);
  expect(state.log).toEqual(['Error: down']);
});

test('one call tries it again, and then all calls use it', async () => {
  const { cache, state } = made();
  await cache.set(['a'], 1, 100);
  state.isBroken = true;
  await cache.get(['a']);
  state.isBroken = false;
  expect(await cache.get(['a'])).toBeUndefined();
  state.now = 5000;
  expect(await cache.get(['a'])).toBe(1);
  expect(await cache.get(['a'])).toBe(1);
  expect(state.log).toEqual(['Error: down', 'recovered']);
});
