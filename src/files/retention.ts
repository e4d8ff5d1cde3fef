import type { Blobs } from '../ports/blobs.ts';
import type { Ports } from '../ports/ports.ts';

/** How long and how much is kept; 0 for no limit. */
export type Retention = { readonly maxAgeSeconds: number; readonly maxBytes: number };

/** Deleted together. */
const batch = 100;
const hourMs = 3_600_000;

/**
 * Deletes what is too old, then the oldest until the rest is small enough. Nothing is held in memory but sums by the hour, however many
 * blobs there are. Gives how many went.
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
  for await (const { size, storedAt } of blobs.list('')) {
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
  const hours = [...byHour.keys()].sort((a, b) => a - b);
  let through = Number.NEGATIVE_INFINITY;
  for (let sum = 0, i = 0; sum < excess && i < hours.length; i++) {
    through = hours[i] as number;
    sum += byHour.get(through) ?? 0;
  }
  const doomed: string[] = [];
  let deleted = 0;
  for await (const { key, size, storedAt } of blobs.list('')) {
    const tooOld = storedAt < oldest;
    const tooMuch = !tooOld && excess > 0 && Math.floor(storedAt / hourMs) <= through;
    if (!tooOld && !tooMuch) continue;
    if (tooMuch) excess -= size;
    doomed.push(key);
    deleted++;
    if (doomed.length >= batch) await blobs.delete(doomed.splice(0));
  }
  if (doomed.length > 0) await blobs.delete(doomed);
  return deleted;
}

/** What the settings say of it. */
type KeepFor = { readonly storedDays: number; readonly storedBytes: number };

/** Sweeps as the settings say, and logs what went. */
export async function cleanUp(
  { blobs, tasks, log }: Pick<Ports, 'blobs' | 'tasks' | 'log'>,
  { storedDays, storedBytes }: KeepFor,
): Promise<void> {
  if (!blobs) return;
  const deleted = await sweep(
    blobs,
    { maxAgeSeconds: storedDays * 86_400, maxBytes: storedBytes },
    tasks.now(),
  );
  if (deleted > 0) log('info', 'old pictures and files were deleted', { deleted });
}
