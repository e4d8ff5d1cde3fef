import type { StoredBlob } from '../../../ports/blobs.ts';

/** A blob that was asked for lately: what is known of it, and its bytes where they are few. */
export type Recent = StoredBlob & { readonly bytes: Buffer | null };

/** Largest blob whose bytes are kept, and bytes kept of all together. */
export const maxRecentBytes = 1024 * 1024;
const maxTotal = 32 * 1024 * 1024;
const maxEntries = 2000;
/** What another process deletes is forgotten after so long. */
const rememberedMs = 60_000;

/** What was asked for lately, so that a picture which many look at is not read from the disk for each. */
export function createRecentBlobs(now: () => number) {
  const entries = new Map<string, { readonly blob: Recent; readonly until: number }>();
  let total = 0;
  const forget = (key: string): void => {
    total -= entries.get(key)?.blob.bytes?.length ?? 0;
    entries.delete(key);
  };
  return {
    get(key: string): Recent | undefined {
      const found = entries.get(key);
      if (!found) return undefined;
      if (found.until > now()) return found.blob;
      forget(key);
      return undefined;
    },
    set(key: string, blob: Recent): void {
      forget(key);
      entries.set(key, { blob, until: now() + rememberedMs });
      total += blob.bytes?.length ?? 0;
      for (const oldest of entries.keys()) {
        if (entries.size <= maxEntries && total <= maxTotal) break;
        forget(oldest);
      }
    },
    forget,
  };
}
