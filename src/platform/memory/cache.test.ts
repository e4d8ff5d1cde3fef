import { expect, test } from 'vitest';
import { describeCache } from '../../../test/contract/cache.ts';
import { createMemoryCache } from './cache.ts';

describeCache('memory', async () => {
  let now = 0;
  return {
    cache: createMemoryCache(() => now),
    pass: (seconds) => {
      now += seconds * 1000;
    },
  };
});

test('deletes the least recently used entry beyond 5000', async () => {
  const cache = createMemoryCache(() => 0);
  for (let i = 0; i < 5000; i++) await cache.set(['n', String(i)], i, 100);
  expect(await cache.get(['n', '0'])).toBe(0);
  await cache.set(['n', 'one more'], 1, 100);
  expect(await cache.get(['n', '0'])).toBe(0);
  expect(await cache.get(['n', '1'])).toBeUndefined();
});

test('is bounded in bytes, keys included', async () => {
  const cache = createMemoryCache(() => 0, 1_000_000);
  const value = 'x'.repeat(100_000);
  for (const key of ['a', 'b', 'c', 'd', 'e']) await cache.set(['large', key], value, 100);
  expect(await cache.get(['large', 'a'])).toBeUndefined();
  expect(await cache.get(['large', 'e'])).toBe(value);
  for (let i = 0; i < 20; i++) await cache.set(['k', `${i}${'k'.repeat(100_000)}`], 1, 100);
  expect(await cache.get(['large', 'e'])).toBeUndefined();
});

test('does not keep a value that would push out half of the others, nor the one before it', async () => {
  const cache = createMemoryCache(() => 0, 1_000_000);
  await cache.set(['a'], 'small', 100);
  await cache.set(['b'], 'small', 100);
  await cache.set(['a'], 'x'.repeat(300_000), 100);
  expect(await cache.get(['a'])).toBeUndefined();
  expect(await cache.get(['b'])).toBe('small');
});
