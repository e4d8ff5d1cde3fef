/** Limits each wait of one reader. */
export type IdleTimer = {
  /** A wait begins. */
  start(): void;
  /** The wait is over. */
  stop(): void;
  /** There will be no more waits. */
  end(): void;
};

/** A timer that fires this late means that the process was busy, in milliseconds. */
const busyMs = 50;

const noTimer: IdleTimer = { start: () => {}, stop: () => {}, end: () => {} };

/**
 * Calls `expired` once if one wait takes longer than `seconds` (0 for no limit). One timer serves
 * all waits: a timer for each chunk would cost more than the chunk. Durations are measured with the
 * monotonic clock, so a wall clock that is set back or forward changes nothing.
 */
export function createIdleTimer(seconds: number, expired: () => void): IdleTimer {
  if (seconds <= 0) return noTimer;
  const limitMs = seconds * 1000;
  let waitingSince: number | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let dueAt = 0;
  const schedule = (now: number, ms: number): void => {
    dueAt = now + ms;
    timer = setTimeout(check, ms);
  };
  const check = (): void => {
    timer = undefined;
    // Between waits no timer runs, so that one which is never ended keeps no process alive.
    if (waitingSince === null) return;
    const now = performance.now();
    const leftMs = waitingSince + limitMs - now;
    if (leftMs > 0) schedule(now, leftMs);
    // What was awaited may have arrived while the process was busy: it is read before the next
    // timer.
    else if (now - dueAt > busyMs) schedule(now, 1);
    else expired();
  };
  return {
    start() {
      waitingSince = performance.now();
      if (timer === undefined) schedule(waitingSince, limitMs);
    },
    stop() {
      waitingSince = null;
    },
    end() {
      waitingSince = null;
      clearTimeout(timer);
      timer = undefined;
    },
  };
}
