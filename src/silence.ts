/** Watches over the waits of one reader. */
export type SilenceWatch = {
  /** Something is waited for from now on. */
  wait(): void;
  /** It came. */
  heard(): void;
  end(): void;
};

const nothing: SilenceWatch = { wait: () => {}, heard: () => {}, end: () => {} };

/**
 * Calls `late` once, where one wait takes longer than some seconds (0 for never). One timer looks again and again: a timer for each wait would cost more
 * than what is waited for.
 */
export function watchSilence(seconds: number, late: () => void): SilenceWatch {
  if (seconds <= 0) return nothing;
  const most = seconds * 1000;
  let since: number | null = null;
  const look = (): void => {
    const left = since === null ? most : since + most - Date.now();
    if (left <= 0) late();
    else timer = setTimeout(look, left);
  };
  let timer = setTimeout(look, most);
  return {
    wait() {
      since = Date.now();
    },
    heard() {
      since = null;
    },
    end: () => clearTimeout(timer),
  };
}
