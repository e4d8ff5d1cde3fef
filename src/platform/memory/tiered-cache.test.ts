import { expect, test } from 'vitest';
import { describeCache } from '../../../test/contract/cache.ts';
import { createMemoryCache } from './cache.ts';
import { createTieredCache } from './tiered-cache.ts';

const day = 86_400;

function made() {
  const clock = { now: 0 };
  const now = () => clock.now;
  const shared = createMemoryCache(now);
  const local = () => createTieredCache(createMemoryCache(now), shared, { now, freshSeconds: 60 });
  return { clock, shared, local };
}

describeCache('memory in front of another', async () => {
  const { clock, local } = made();
  return {
    cache: local(),
    pass: (seconds) => {
      clock.now += seconds * 1000;
    },
  };
});

test('small values that live for hours are shared', async () => {
  const { local } = made();
  await local().set(['upload'], { id: 'x' }, day);
  expect(await local().get(['upload'])).toEqual({ id: 'x' });
});

test('short-lived and large values stay in memory', async () => {
  const { local, shared } = made();
  const cache = local();
  const list = Array.from({ length: 5000 }, (_, i) => ({ id: `model-${i}`, owned_by: 'x' }));
  await cache.set(['models', 'short'], list.slice(0, 3), 60);
  await cache.set(['models', 'large'], list, day);
  expect(await shared.get(['models', 'short'])).toBeUndefined();
  expect(await shared.get(['models', 'large'])).toBeUndefined();
  expect(await cache.get(['models', 'short'])).toHaveLength(3);
  expect(await cache.get(['models', 'large'])).toHaveLength(5000);
});

test('does not ask the shared cache while its copy is fresh', async () => {
  const { clock, local, shared } = made();
  const cache = local();
  await cache.set(['a'], 1, day);
  await shared.set(['a'], 2, day);
  expect(await cache.get(['a'])).toBe(1);
  clock.now += 61_000;
  expect(await cache.get(['a'])).toBe(2);
  await shared.delete(['a']);
  expect(await cache.get(['a'])).toBe(2);
});

test('still has what it wrote itself when the shared cache has lost it', async () => {
  const { clock, local, shared } = made();
  const cache = local();
  await cache.set(['a'], 1, day);
  await shared.delete(['a']);
  clock.now += 3_600_000;
  expect(await cache.get(['a'])).toBe(1);
});
