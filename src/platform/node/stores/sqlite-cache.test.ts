import { mkdtempSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { describeCache } from '../../../../test/contract/cache.ts';
import { openSqliteCache } from './sqlite-cache.ts';

const fresh = () => join(mkdtempSync(join(tmpdir(), 'sluice-cache-')), 'below', 'cache.sqlite');

describeCache('a file', async () => {
  let now = Date.now();
  return {
    cache: await openSqliteCache(fresh(), () => now),
    pass: (seconds) => {
      now += seconds * 1000;
    },
  };
});

test('entries survive a restart, and other processes see them', async () => {
  const path = fresh();
  const [one, two] = [await openSqliteCache(path, Date.now), await openSqliteCache(path, Date.now)];
  await one.set(['a'], 1, 100);
  expect(await two.get(['a'])).toBe(1);
  expect(await (await openSqliteCache(path, Date.now)).get(['a'])).toBe(1);
});

test('a file that is no database is begun anew', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'sluice-cache-')), 'cache.sqlite');
  writeFileSync(path, 'this is no database at all, and long enough to look like one. '.repeat(50));
  const cache = await openSqliteCache(path, Date.now);
  await cache.set(['a'], 1, 100);
  expect(await cache.get(['a'])).toBe(1);
});

test('an entry that is not JSON is a miss', async () => {
  const path = fresh();
  const cache = await openSqliteCache(path, Date.now);
  await cache.set(['a'], 1, 100);
  new DatabaseSync(path).exec("UPDATE entries SET value = '__import__(''os'').system(''x'')'");
  expect(await cache.get(['a'])).toBeUndefined();
});

test('a file that another process has locked fails a write within a moment', async () => {
  const path = fresh();
  const cache = await openSqliteCache(path, Date.now);
  await cache.set(['a'], 1, 100);
  const other = new DatabaseSync(path);
  other.exec('BEGIN IMMEDIATE');
  const began = performance.now();
  await expect(cache.set(['a'], 2, 100)).rejects.toThrow('locked');
  expect(performance.now() - began).toBeLessThan(1000);
  expect(await cache.get(['a'])).toBe(1);
  other.exec('ROLLBACK');
  await cache.set(['a'], 3, 100);
  expect(await cache.get(['a'])).toBe(3);
});

test('is bounded in bytes: the entries that expire first are deleted', async () => {
  const path = fresh();
  const cache = await openSqliteCache(path, Date.now, { maxEntries: 1000, maxBytes: 8_000_000 });
  const value = 'x'.repeat(1_000_000);
  for (let i = 0; i < 40; i++) await cache.set(['large', String(i)], value, 100 + i);
  expect(await cache.get(['large', '0'])).toBeUndefined();
  expect(await cache.get(['large', '39'])).toBe(value);
  expect(statSync(path).size + statSync(`${path}-wal`).size).toBeLessThan(32_000_000);
});

test('keeps at most so many entries', async () => {
  const cache = await openSqliteCache(fresh(), Date.now, { maxEntries: 10, maxBytes: 1_000_000 });
  for (let i = 0; i < 1001; i++) await cache.set(['n', String(i)], i, 100 + i);
  expect(await cache.get(['n', '980'])).toBeUndefined();
  expect(await cache.get(['n', '1000'])).toBe(1000);
});
