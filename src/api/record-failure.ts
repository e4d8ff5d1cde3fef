import type { RecordFields } from '../call.ts';
import type { Failure } from '../http/failure.ts';

/** Records that a response broke after its head: its status says nothing of it any more. */
export function recordFailure(record: RecordFields, { code, message }: Failure): void {
  record.error = message;
  if (code === 'internal_error') record.endedBy = 'gateway';
  else record.endedBy = code === 'upstream_timeout' ? 'timeout' : 'upstream';
}
