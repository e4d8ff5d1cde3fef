import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Cache, keyText, parseEntry } from '../../../ports/cache.ts';

/** Entries kept; beyond it those that would expire first go. */
const maxEntries = 100_000;

/**
 * A cache in a file, for one machine: what is learned survives a restart, and worker processes share it. The file is made when it is
 * first needed; one that is broken is begun anew, since nothing in it cannot be learned again.
 */
export async function openSqliteCache(path: string, now: () => number): Promise<Cache> {
  const { DatabaseSync } = await import('node:sqlite');
  mkdirSync(dirname(path), { recursive: true });
  const open = () => {
    const database = new DatabaseSync(path, { timeout: 2000 });
    try {
      database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
        CREATE TABLE IF NOT EXISTS entries (name TEXT PRIMARY KEY, value TEXT NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS by_until ON entries (until);`);
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  };
  let database: InstanceType<typeof DatabaseSync>;
  try {
    database = open();
  } catch (error) {
    if (!/not a database|malformed/.test(String(error))) throw error;
    const { rmSync } = await import('node:fs');
    for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
    database = open();
  }
  const get = database.prepare('SELECT value FROM entries WHERE name = ? AND until > ?');
  const set = database.prepare(
    'INSERT INTO entries VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value, until = excluded.until',
  );
  const remove = database.prepare('DELETE FROM entries WHERE name = ?');
  const expire = database.prepare('DELETE FROM entries WHERE until <= ?');
  const trim = database.prepare(
    'DELETE FROM entries WHERE name IN (SELECT name FROM entries ORDER BY until LIMIT max(0, (SELECT count(*) FROM entries) - ?))',
  );
  let writes = 0;
  return {
    async get(key) {
      return parseEntry((get.get(keyText(key), now()) as { value: string } | undefined)?.value);
    },
    async set(key, value, ttlSeconds) {
      set.run(keyText(key), JSON.stringify(value), now() + ttlSeconds * 1000);
      if (writes++ % 1000 !== 0) return;
      expire.run(now());
      trim.run(maxEntries);
    },
    async delete(key) {
      remove.run(keyText(key));
    },
  };
}
