import type { StoredBlob } from '../../../ports/blobs.ts';

/** A small blob that was read lately, with its bytes. */
export type Recent = StoredBlob & { readonly bytes: Buffer };

/** Largest blob whose bytes are kept, and bytes kept of all together. */
export const maxRecentBytes = 1024 * 1024;
const maxTotal = 32 * 1024 * 1024;
const maxEntries = 2000;
/** A blob that another process deleted is served from memory for this long at most. */
const rememberedMs = 60_000;

/** Small blobs in memory: a picture that many people look at is read from the disk once. */
export function createRecentBlobs(now: () => number) {
  const entries = new Map<string, { readonly blob: Recent; readonly until: number }>();
  let total = 0;
  const forget = (key: string): void => {
    total -= entries.get(key)?.blob.bytes.length ?? 0;
    entries.delete(key);
  };
  return {
    get(key: string): Recent | undefined {
      const entry = entries.get(key);
      if (!entry) return undefined;
      if (entry.until > now()) return entry.blob;
      forget(key);
      return undefined;
    },
    set(key: string, blob: Recent): void {
      forget(key);
      entries.set(key, { blob, until: now() + rememberedMs });
      total += blob.bytes.length;
      for (const oldest of entries.keys()) {
        if (entries.size <= maxEntries && total <= maxTotal) break;
        forget(oldest);
      }
    },
    forget,
  };
}
