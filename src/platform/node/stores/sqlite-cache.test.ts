import { mkdtempSync, writeFileSync } from 'node:fs';
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

test('what is learned survives a restart, and other processes see it', async () => {
  const path = fresh();
  const [one, two] = [await openSqliteCache(path, Date.now), await openSqliteCache(path, Date.now)];
  await one.set(['a'], 1, 100);
  expect(await two.get(['a'])).toBe(1);
  expect(await (await openSqliteCache(path, Date.now)).get(['a'])).toBe(1);
});

test('a file that is no cache is begun anew', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'sluice-cache-')), 'cache.sqlite');
  writeFileSync(path, 'this is no database at all, and long enough to look like one. '.repeat(50));
  const cache = await openSqliteCache(path, Date.now);
  await cache.set(['a'], 1, 100);
  expect(await cache.get(['a'])).toBe(1);
});

test('a hostile entry is a miss', async () => {
  const path = fresh();
  const cache = await openSqliteCache(path, Date.now);
  await cache.set(['a'], 1, 100);
  new DatabaseSync(path).exec("UPDATE entries SET value = '__import__(''os'').system(''x'')'");
  expect(await cache.get(['a'])).toBeUndefined();
});
