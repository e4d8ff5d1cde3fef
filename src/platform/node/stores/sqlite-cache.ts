import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { type Cache, keyText, parseEntry } from '../../../ports/cache.ts';

export type SqliteCache = Cache & { close(): void };

/** Most entries and bytes that are kept. Beyond them the entries that expire first are deleted. */
export type SqliteCacheLimits = { readonly maxEntries: number; readonly maxBytes: number };

const defaultLimits: SqliteCacheLimits = { maxEntries: 100_000, maxBytes: 64 * 1024 * 1024 };

/**
 * How long a locked file may hold up a call, in milliseconds. SQLite waits on the event loop's
 * thread, so every request of the process waits with it.
 */
const busyMs = 20;

/** The limits are checked after so many writes, or so many bytes of them. */
const checkedWrites = 1000;
const checkedBytes = 4 * 1024 * 1024;

/**
 * A cache in a file, for one machine: it survives a restart, and worker processes share it. A file
 * that is no database is deleted and begun anew, since everything in it can be learned again.
 */
export async function openSqliteCache(
  path: string,
  now: () => number,
  limits = defaultLimits,
): Promise<SqliteCache> {
  const database = await openDatabase(path, limits);
  const get = database.prepare('SELECT value FROM entries WHERE name = ? AND until > ?');
  const set = database.prepare(
    'INSERT INTO entries VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value, until = excluded.until',
  );
  const remove = database.prepare('DELETE FROM entries WHERE name = ?');
  const trim = createTrim(database, limits);
  let writes = 0;
  let bytes = 0;
  return {
    async get(key) {
      return parseEntry((get.get(keyText(key), now()) as { value: string } | undefined)?.value);
    },
    async set(key, value, ttlSeconds) {
      const text = JSON.stringify(value);
      if (writes % checkedWrites === 0 || bytes > checkedBytes) {
        trim(now());
        bytes = 0;
      }
      writes++;
      bytes += text.length;
      set.run(keyText(key), text, now() + ttlSeconds * 1000);
    },
    async delete(key) {
      remove.run(keyText(key));
    },
    close: () => database.close(),
  };
}

async function openDatabase(path: string, limits: SqliteCacheLimits): Promise<DatabaseSync> {
  const { DatabaseSync } = await import('node:sqlite');
  mkdirSync(dirname(path), { recursive: true });
  const open = (): DatabaseSync => {
    const database = new DatabaseSync(path, { timeout: busyMs });
    try {
      database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
        CREATE TABLE IF NOT EXISTS entries (name TEXT PRIMARY KEY, value TEXT NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS by_until ON entries (until);`);
      boundFile(database, limits.maxBytes);
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  };
  try {
    return open();
  } catch (error) {
    if (!isBroken(error)) throw error;
    for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
    return open();
  }
}

/** Whether an error says that the file is no database, or a damaged one. */
export function isBroken(error: unknown): boolean {
  return /not a database|malformed/.test(String(error));
}

/** Bounds the file itself: twice the entries, since pages and the index take room as well. */
function boundFile(database: DatabaseSync, maxBytes: number): void {
  const { page_size: pageBytes } = database.prepare('PRAGMA page_size').get() as { page_size: number };
  const pages = Math.max(Math.ceil((2 * maxBytes) / pageBytes), 64);
  database.exec(`PRAGMA max_page_count = ${pages}; PRAGMA journal_size_limit = ${maxBytes};`);
}

/** Deletes expired entries, then those that expire first, until the rest is within the limits. */
function createTrim(
  database: DatabaseSync,
  { maxEntries, maxBytes }: SqliteCacheLimits,
): (now: number) => void {
  const expire = database.prepare('DELETE FROM entries WHERE until <= ?');
  const measure = database.prepare(
    'SELECT count(*) AS entries, coalesce(sum(octet_length(name) + octet_length(value)), 0) AS bytes FROM entries',
  );
  const shrink = database.prepare(`DELETE FROM entries WHERE name IN (
    SELECT name FROM (
      SELECT name,
        row_number() OVER (ORDER BY until DESC, name) AS position,
        sum(octet_length(name) + octet_length(value)) OVER (ORDER BY until DESC, name) AS total
      FROM entries)
    WHERE position > ? OR total > ?)`);
  return (now) => {
    expire.run(now);
    const { entries, bytes } = measure.get() as { entries: number; bytes: number };
    if (entries > maxEntries || bytes > maxBytes) shrink.run(maxEntries, maxBytes);
  };
}
