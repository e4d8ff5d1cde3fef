import { type Cache, keyText, parseEntry } from '../../ports/cache.ts';
import { withTimeout } from '../../streams/with-timeout.ts';

/** As much of a KV namespace as is used. */
export interface KvNamespace {
  get(key: string): Promise<string | null>;
  put(key: string, value: string, options: { expirationTtl: number }): Promise<void>;
  delete(key: string): Promise<void>;
}

/** Longest times of a call, in seconds. A response waits for a read, but not for a write. */
export type KvLimits = { readonly readSeconds: number; readonly writeSeconds: number };

const defaultLimits: KvLimits = { readSeconds: 0.5, writeSeconds: 5 };

/** The shortest time that KV keeps a value, in seconds, and the longest name, in bytes. */
const minTtl = 60;
const maxName = 512;

/** A cache in Workers KV. Each value carries its own expiry, since KV knows none below 60 s. */
export function createKvCache(
  namespace: KvNamespace,
  now: () => number,
  { readSeconds, writeSeconds }: KvLimits = defaultLimits,
): Cache {
  return {
    async get(key) {
      const name = keyText(key);
      if (name.length > maxName) return undefined;
      const text = await withTimeout(namespace.get(name), readSeconds, tooSlow);
      const entry = parseEntry(text) as { value?: unknown; until?: unknown } | undefined;
      return typeof entry?.until === 'number' && entry.until > now() ? entry.value : undefined;
    },
    async set(key, value, ttlSeconds) {
      const name = keyText(key);
      if (name.length > maxName) return;
      const entry = JSON.stringify({ value, until: now() + ttlSeconds * 1000 });
      const options = { expirationTtl: Math.max(Math.ceil(ttlSeconds), minTtl) };
      await withTimeout(namespace.put(name, entry, options), writeSeconds, tooSlow);
    },
    async delete(key) {
      const name = keyText(key);
      if (name.length > maxName) return;
      await withTimeout(namespace.delete(name), writeSeconds, tooSlow);
    },
  };
}

function tooSlow(): Error {
  return new Error('KV did not answer in time');
}
