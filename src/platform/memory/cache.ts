import { type Cache, keyText } from '../../ports/cache.ts';

type Entry = { readonly text: string; readonly until: number; readonly bytes: number };

/** Most entries, and most bytes of all entries together. */
const maxEntries = 5000;
const defaultMaxBytes = 32 * 1024 * 1024;

/** What an entry takes beside its texts, roughly. */
const entryBytes = 100;

/**
 * A cache in memory, bounded in entries and bytes: the least recently used entry goes first.
 * Values are kept as JSON, so that a caller cannot change them in place.
 */
export function createMemoryCache(now: () => number, maxBytes = defaultMaxBytes): Cache {
  const entries = new Map<string, Entry>();
  let total = 0;
  const remove = (name: string): void => {
    total -= entries.get(name)?.bytes ?? 0;
    entries.delete(name);
  };
  return {
    async get(key) {
      const name = keyText(key);
      const entry = entries.get(name);
      if (!entry) return undefined;
      if (entry.until <= now()) {
        remove(name);
        return undefined;
      }
      entries.delete(name);
      entries.set(name, entry);
      return JSON.parse(entry.text);
    },
    async set(key, value, ttlSeconds) {
      const name = keyText(key);
      const text = JSON.stringify(value);
      remove(name);
      // A text takes at most two bytes a character.
      const bytes = 2 * (name.length + text.length) + entryBytes;
      if (bytes > maxBytes / 2) return;
      entries.set(name, { text, until: now() + ttlSeconds * 1000, bytes });
      total += bytes;
      for (const oldest of entries.keys()) {
        if (entries.size <= maxEntries && total <= maxBytes) break;
        remove(oldest);
      }
    },
    async delete(key) {
      remove(keyText(key));
    },
  };
}
