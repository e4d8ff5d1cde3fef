import type { Blobs, ListedBlob } from '../ports/blobs.ts';
import type { Ports } from '../ports/ports.ts';

/** How long and how much is kept; 0 for no limit. */
export type Retention = { readonly maxAgeSeconds: number; readonly maxBytes: number };

/** Blobs that are deleted in one call; R2 and S3 allow 1000. */
const deletedAtOnce = 1000;

/**
 * Blobs that one sweep looks at. A list gives 1000, and a Worker may do 1000 operations in one run.
 * Keys are random, so the first ones are a fair sample; the next sweep continues with what is left.
 */
const maxListed = 400_000;

const hourMs = 3_600_000;

/** A sweep leaves this share of STORED_BYTES at most, so that new blobs can be stored. */
const leftShare = 0.9;

/**
 * Deletes blobs that are too old, then the oldest until the rest is small enough. Memory holds only
 * a sum for each hour, for any number of blobs. Returns how many were deleted.
 */
export async function sweep(
  blobs: Blobs,
  { maxAgeSeconds, maxBytes }: Retention,
  now: number,
): Promise<number> {
  const oldest = maxAgeSeconds > 0 ? now - maxAgeSeconds * 1000 : Number.NEGATIVE_INFINITY;
  const byHour = new Map<number, number>();
  let total = 0;
  let expired = 0;
  for await (const { size, storedAt } of atMost(blobs.list(''), maxListed)) {
    if (storedAt < oldest) {
      expired++;
      continue;
    }
    const hour = Math.floor(storedAt / hourMs);
    byHour.set(hour, (byHour.get(hour) ?? 0) + size);
    total += size;
  }
  let excess = maxBytes > 0 ? total - maxBytes : 0;
  if (excess <= 0 && expired === 0) return 0;
  const lastHour = lastHourOf(byHour, excess);
  const batch: string[] = [];
  let deleted = 0;
  for await (const { key, size, storedAt } of atMost(blobs.list(''), maxListed)) {
    const isExpired = storedAt < oldest;
    const isExcess = !isExpired && excess > 0 && Math.floor(storedAt / hourMs) <= lastHour;
    if (!isExpired && !isExcess) continue;
    if (isExcess) excess -= size;
    batch.push(key);
    deleted++;
    if (batch.length >= deletedAtOnce) await blobs.delete(batch.splice(0));
  }
  if (batch.length > 0) await blobs.delete(batch);
  return deleted;
}

/** The hour up to which blobs must go so that `excess` bytes are deleted. */
function lastHourOf(byHour: ReadonlyMap<number, number>, excess: number): number {
  let last = Number.NEGATIVE_INFINITY;
  let sum = 0;
  for (const hour of [...byHour.keys()].sort((a, b) => a - b)) {
    if (sum >= excess) break;
    last = hour;
    sum += byHour.get(hour) ?? 0;
  }
  return last;
}

async function* atMost(blobs: AsyncIterable<ListedBlob>, count: number): AsyncGenerator<ListedBlob> {
  let listed = 0;
  for await (const blob of blobs) {
    if (listed++ >= count) return;
    yield blob;
  }
}

type RetentionSettings = { readonly storedDays: number; readonly storedBytes: number };

/** Sweeps as the settings say, and logs how many blobs were deleted. */
export async function cleanUp(
  { blobs, tasks, log }: Pick<Ports, 'blobs' | 'tasks' | 'log'>,
  { storedDays, storedBytes }: RetentionSettings,
): Promise<void> {
  if (!blobs) return;
  const retention = { maxAgeSeconds: storedDays * 86_400, maxBytes: storedBytes * leftShare };
  const deleted = await sweep(blobs, retention, tasks.now());
  if (deleted === 0) return;
  log('info', 'old pictures and files were deleted', { deleted });
  for await (const _ of atMost(blobs.list(''), maxListed)) {
    // A quota counts what a list of everything shows: it must learn what is left.
  }
}
