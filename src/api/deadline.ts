import type { Call } from '../call.ts';

/** How long a converted request goes on. */
export type Deadline = {
  /** Fires when the caller leaves, when the time is up, or when it is given up here. */
  readonly signal: AbortSignal;
  abort(): void;
};

/** The patience of one request, with at most `totalSeconds` for all of it; 0 for no limit. */
export function requestDeadline(call: Call, totalSeconds: number): Deadline {
  const left = new AbortController();
  const giveUp = () => left.abort();
  call.incoming.signal.addEventListener('abort', giveUp, { once: true });
  const signal =
    totalSeconds > 0 ? AbortSignal.any([left.signal, AbortSignal.timeout(totalSeconds * 1000)]) : left.signal;
  return { signal, abort: giveUp };
}
