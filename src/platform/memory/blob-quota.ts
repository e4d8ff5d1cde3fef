import { Failure } from '../../http/failure.ts';
import type { Blobs, ListedBlob } from '../../ports/blobs.ts';

/** Bytes that are stored: all of them, and those of files that callers uploaded. */
export type StoredTotals = { readonly all: number; readonly uploads: number };

export type QuotaOptions = {
  /** Most bytes that may be stored; 0 for any number. */
  readonly maxBytes: number;
  readonly now: () => number;
  /** The totals as another process measured them; null if they must be measured here, by a list. */
  loadTotals(): Promise<StoredTotals | null>;
  /** Called with totals that were measured by a full list. */
  onMeasured(totals: StoredTotals): void;
  /** Called when the storage is nearly full, at most once a minute: it should delete old blobs. */
  onNearlyFull(): void;
};

/**
 * Files that callers uploaded may fill half of the storage. The rest is for pictures of responses.
 */
const uploadPrefix = 'uploads/';
const uploadShare = 0.5;

/** From this share on old blobs are deleted. */
const nearlyFull = 0.95;

/** Other processes store as well: the totals are measured again after this time. */
const remeasureMs = 10 * 60_000;

/** A put waits this long for the first measurement. */
const firstMeasureMs = 2000;

const nearlyFullPauseMs = 60_000;

/** So few deleted blobs are measured one by one. After more of them all are measured again. */
const maxHeads = 16;

/** A store that refuses bytes beyond a limit with a 507, counted while they are stored. */
export function withQuota(blobs: Blobs, options: QuotaOptions): Blobs {
  const { maxBytes, now } = options;
  if (maxBytes <= 0) return blobs;
  const used = { all: 0, uploads: 0 };
  let measuredAt: number | null = null;
  let warnedAt = Number.NEGATIVE_INFINITY;
  let measuring: Promise<void> | null = null;

  const add = (key: string, bytes: number): void => {
    used.all += bytes;
    if (key.startsWith(uploadPrefix)) used.uploads += bytes;
  };

  const isFull = (key: string): boolean =>
    used.all > maxBytes || (key.startsWith(uploadPrefix) && used.uploads > maxBytes * uploadShare);

  async function* listAll(): AsyncGenerator<ListedBlob> {
    const totals = { all: 0, uploads: 0 };
    const before = { ...used };
    for await (const blob of blobs.list('')) {
      totals.all += blob.size;
      if (blob.key.startsWith(uploadPrefix)) totals.uploads += blob.size;
      yield blob;
    }
    options.onMeasured(totals);
    // What was stored meanwhile may not have been listed.
    used.all = totals.all + Math.max(used.all - before.all, 0);
    used.uploads = totals.uploads + Math.max(used.uploads - before.uploads, 0);
    measuredAt = now();
  }

  const measure = async (): Promise<void> => {
    const totals = await options.loadTotals();
    if (totals === null) {
      for await (const _ of listAll()) {
        // The list counts.
      }
      return;
    }
    Object.assign(used, totals);
    measuredAt = now();
  };

  const startMeasuring = (): Promise<void> => {
    measuring ??= measure()
      .catch(() => {
        // A storage that cannot be listed will fail to store as well.
      })
      .finally(() => {
        measuring = null;
      });
    return measuring;
  };

  const ready = async (): Promise<void> => {
    if (measuredAt !== null) {
      if (now() - measuredAt > remeasureMs) void startMeasuring();
      return;
    }
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, firstMeasureMs);
    });
    await Promise.race([startMeasuring(), late]);
    clearTimeout(timer);
  };

  const warnIfNearlyFull = (): void => {
    if (used.all < maxBytes * nearlyFull || now() - warnedAt < nearlyFullPauseMs) return;
    warnedAt = now();
    options.onNearlyFull();
  };

  return {
    async put(key, body, facts) {
      await ready();
      let bytes = 0;
      const counted = async function* (): AsyncGenerator<Uint8Array> {
        for await (const chunk of body) {
          bytes += chunk.length;
          add(key, chunk.length);
          if (isFull(key)) throw storageFull();
          yield chunk;
        }
      };
      try {
        await blobs.put(key, counted(), facts);
      } catch (error) {
        add(key, -bytes);
        throw error;
      } finally {
        warnIfNearlyFull();
      }
    },
    head: blobs.head,
    get: blobs.get,
    async delete(keys) {
      const sizes =
        keys.length <= maxHeads
          ? await Promise.all(keys.map(async (key) => (await blobs.head(key).catch(() => null))?.size ?? 0))
          : null;
      await blobs.delete(keys);
      if (sizes) for (const [i, key] of keys.entries()) add(key, -(sizes[i] ?? 0));
      else measuredAt = null;
    },
    list: (prefix) => (prefix === '' ? listAll() : blobs.list(prefix)),
  };
}

function storageFull(): Failure {
  return new Failure(
    'insufficient_storage',
    "the gateway's storage is full: STORED_BYTES at the gateway sets the limit",
  );
}
