/** Watches over the waits of one reader. */
export type IdleTimer = {
  /** Something is waited for from now on. */
  start(): void;
  /** It came. */
  stop(): void;
  end(): void;
};

const nothing: IdleTimer = { start: () => {}, stop: () => {}, end: () => {} };

/**
 * Calls `late` once, where one wait takes longer than some seconds (0 for never). One timer looks again and again: a timer for each wait would cost more
 * than what is waited for.
 */
export function createIdleTimer(seconds: number, late: () => void): IdleTimer {
  if (seconds <= 0) return nothing;
  const most = seconds * 1000;
  let since: number | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const look = (): void => {
    timer = undefined;
    // Where nothing is waited for it rests, so that a watch which nobody ends keeps nothing alive.
    if (since === null) return;
    const left = since + most - Date.now();
    if (left <= 0) late();
    else timer = setTimeout(look, left);
  };
  return {
    start() {
      since = Date.now();
      timer ??= setTimeout(look, most);
    },
    stop() {
      since = null;
    },
    end: () => clearTimeout(timer),
  };
}
