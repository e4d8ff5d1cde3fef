import type { RecordFields } from '../call.ts';

/** Counts one more request to an upstream because the one before it failed. */
export function countFurtherAttempt(record: RecordFields): void {
  record.attempts = (record.attempts ?? 1) + 1;
}
