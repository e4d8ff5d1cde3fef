import type { Call } from '../call.ts';
import { Failure } from '../http/failure.ts';

/** How long a converted request goes on. */
export type Deadline = {
  /**
   * Fires when the caller leaves, when the time is up, or on `abort`. If the time is up, its reason
   * is the failure that the caller gets.
   */
  readonly signal: AbortSignal;
  abort(): void;
};

/** The deadline of one request: at most `totalSeconds` for all of it; 0 for no limit. */
export function requestDeadline(call: Call, totalSeconds: number): Deadline {
  const controller = new AbortController();
  const caller = call.incoming.signal;
  const abort = (): void => controller.abort();
  const timer =
    totalSeconds > 0
      ? setTimeout(() => controller.abort(tooLong(totalSeconds)), totalSeconds * 1000)
      : undefined;
  if (caller.aborted) abort();
  else caller.addEventListener('abort', abort, { once: true });
  call.whenOver(() => {
    clearTimeout(timer);
    caller.removeEventListener('abort', abort);
  });
  return { signal: controller.signal, abort };
}

function tooLong(seconds: number): Failure {
  return new Failure(
    'upstream_timeout',
    `The answer took longer than ${seconds} seconds, the most that TOTAL_TIMEOUT allows.`,
  );
}
