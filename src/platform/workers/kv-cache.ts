import { type Cache, keyText, parseEntry } from '../../ports/cache.ts';

/** As much of a KV namespace as is used. */
export interface KvNamespace {
  get(key: string): Promise<string | null>;
  put(key: string, value: string, options: { expirationTtl: number }): Promise<void>;
  delete(key: string): Promise<void>;
}

/** The shortest time KV keeps anything, in seconds, and the longest name it takes, in bytes. */
const minTtl = 60;
const maxName = 512;

/** A cache in Workers KV. What is written with a shorter time than KV knows carries its own. */
export function createKvCache(namespace: KvNamespace, now: () => number): Cache {
  return {
    async get(key) {
      const name = keyText(key);
      if (name.length > maxName) return undefined;
      const entry = parseEntry(await namespace.get(name)) as { value?: unknown; until?: unknown } | undefined;
      return typeof entry?.until === 'number' && entry.until > now() ? entry.value : undefined;
    },
    async set(key, value, ttlSeconds) {
      const name = keyText(key);
      if (name.length > maxName) return;
      const entry = JSON.stringify({ value, until: now() + ttlSeconds * 1000 });
      await namespace.put(name, entry, { expirationTtl: Math.max(Math.ceil(ttlSeconds), minTtl) });
    },
    async delete(key) {
      const name = keyText(key);
      if (name.length <= maxName) await namespace.delete(name);
    },
  };
}
