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

test('stays bounded: what was used least lately goes first', async () => {
  const cache = createMemoryCache(() => 0);
  for (let i = 0; i < 5000; i++) await cache.set(['n', String(i)], i, 100);
  expect(await cache.get(['n', '0'])).toBe(0);
  await cache.set(['n', 'one more'], 1, 100);
  expect(await cache.get(['n', '0'])).toBe(0);
  expect(await cache.get(['n', '1'])).toBeUndefined();
  const large = 'x'.repeat(20_000_000);
  await cache.set(['large', 'a'], large, 100);
  await cache.set(['large', 'b'], large, 100);
  expect(await cache.get(['large', 'a'])).toBeUndefined();
  expect(await cache.get(['large', 'b'])).toBe(large);
});
