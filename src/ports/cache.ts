/** The name of an entry: kind first. Each part is data, and no separator can be smuggled in by one. */
export type CacheKey = readonly [kind: string, ...parts: string[]];

/**
 * Small values that may be lost: memory with a file behind it, KV or Redis. A read may be seconds old. What comes back is whatever
 * somebody wrote there: see {@link table} for reading it safely.
 */
export interface Cache {
  /** The value, or undefined where there is none or its time has passed. */
  get(key: CacheKey): Promise<unknown>;
  set(key: CacheKey, value: unknown, ttlSeconds: number): Promise<void>;
  delete(key: CacheKey): Promise<void>;
}

/** A key as one text; different keys give different texts. */
export function keyText(key: CacheKey): string {
  return key.map(encodeURIComponent).join(':');
}

/** A stored text as a value; what is not JSON was not written by us and is not there. */
export function parseEntry(text: string | null | undefined): unknown {
  if (text === null || text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
