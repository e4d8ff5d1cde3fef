import { expect, test } from 'vitest';
import { soak } from './soak.ts';

/** Two minutes of everything; `node test/soak.ts 36000` does the same for hours. */
test('a soak leaves nothing behind', { timeout: 600_000 }, async () => {
  const { before, after, requests, wrong } = await soak(Number(process.env.SOAK_SECONDS ?? 120));
  expect(wrong).toEqual([]);
  expect(requests).toBeGreaterThan(1000);
  expect(after.rss / before.rss).toBeLessThan(1.1);
  expect(after.used / before.used).toBeLessThan(1.1);
  expect(after.files).toBeLessThanOrEqual(before.files + 2);
  expect(after.timers).toBeLessThanOrEqual(before.timers + 1);
});
