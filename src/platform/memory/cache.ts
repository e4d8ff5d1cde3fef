import { type Cache, keyText } from '../../ports/cache.ts';

type Entry = { readonly text: string; readonly until: number };

/** Entries kept, and characters of all of them together. */
const maxEntries = 5000;
const maxLength = 32 * 1024 * 1024;

/** A cache in memory: bounded, the least recently used goes first. Values are kept as text, so that nobody can change them in place. */
export function createMemoryCache(now: () => number): Cache {
  const entries = new Map<string, Entry>();
  let length = 0;
  const remove = (name: string): void => {
    length -= entries.get(name)?.text.length ?? 0;
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
      entries.set(name, { text, until: now() + ttlSeconds * 1000 });
      length += text.length;
      for (const oldest of entries.keys()) {
        if (entries.size <= maxEntries && length <= maxLength) break;
        remove(oldest);
      }
    },
    async delete(key) {
      remove(keyText(key));
    },
  };
}
