/** The name of an entry, its kind first. Each part is data: no part can contain a separator. */
export type CacheKey = readonly [kind: string, ...parts: string[]];

/**
 * Small values that may be lost: memory with a file behind it, KV or Redis. A read may be seconds
 * old. Other programs may have written the value: `typedCache` checks it.
 */
export interface Cache {
  /** The value; undefined if there is none or it has expired. */
  get(key: CacheKey): Promise<unknown>;
  set(key: CacheKey, value: unknown, ttlSeconds: number): Promise<void>;
  delete(key: CacheKey): Promise<void>;
}

/** A key as one text. Different keys give different texts. */
export function keyText(key: CacheKey): string {
  return key.map(encodeURIComponent).join(':');
}

/** A stored text as a value; undefined if the text is not JSON, as we did not write it then. */
export function parseEntry(text: string | null | undefined): unknown {
  if (text === null || text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** How many bytes a value takes as JSON in UTF-8. */
export function valueBytes(value: unknown): number {
  return new TextEncoder().encode(JSON.stringify(value)).length;
}
