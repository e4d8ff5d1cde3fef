import { type Cache, valueBytes } from '../../ports/cache.ts';

export type TierOptions = {
  readonly now: () => number;
  /** Seconds for which memory answers before the shared cache is asked again. */
  readonly freshSeconds: number;
};

/** A value in memory. After `freshUntil` it is used only if the shared cache has none. */
type Copy = { readonly value: unknown; readonly freshUntil: number };

/**
 * What lives shorter than this stays in memory: writing it elsewhere costs more than learning it.
 */
const minSharedSeconds = 3600;

/** Largest value that goes to the shared cache, in bytes of JSON. */
const maxSharedBytes = 64 * 1024;

/**
 * Memory in front of a cache that outlives the process. Small values that live for hours go to
 * both. Short-lived and large ones (model lists) stay in memory.
 */
export function createTieredCache(memory: Cache, shared: Cache, { now, freshSeconds }: TierOptions): Cache {
  const copy = (value: unknown): Copy => ({ value, freshUntil: now() + freshSeconds * 1000 });
  return {
    async get(key) {
      const local = (await memory.get(key)) as Copy | undefined;
      if (local && local.freshUntil > now()) return local.value;
      const value = await shared.get(key);
      if (value === undefined) return local?.value;
      await memory.set(key, copy(value), freshSeconds);
      return value;
    },
    async set(key, value, ttlSeconds) {
      if (ttlSeconds < minSharedSeconds || valueBytes(value) > maxSharedBytes)
        return memory.set(key, { value, freshUntil: now() + ttlSeconds * 1000 }, ttlSeconds);
      await memory.set(key, copy(value), ttlSeconds);
      await shared.set(key, value, ttlSeconds);
    },
    async delete(key) {
      await memory.delete(key);
      await shared.delete(key);
    },
  };
}
