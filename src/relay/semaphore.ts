/** Gives a slot back; calling it twice does nothing. */
export type Release = () => void;

/** A limit on how many may be at work at once, with a line of bounded length for those who wait. */
export interface Semaphore {
  /** A slot at once; null where none is free. */
  tryAcquire(): Release | null;
  /** A slot as soon as one is free; null where the line is full, the wait too long, or the signal fires. */
  acquire(signal: AbortSignal): Promise<Release | null>;
  readonly busy: number;
  readonly waiting: number;
}

export type SemaphoreLimits = {
  readonly limit: number;
  /** How many may wait; 0 on machines where one request cannot wait for another. */
  readonly queue: number;
  readonly waitMs: number;
};

/** Makes slots. First come, first served. */
export function createSemaphore({ limit: most, queue, waitMs }: SemaphoreLimits): Semaphore {
  let busy = 0;
  const line: ((release: Release) => void)[] = [];

  const taken = (): Release => {
    let mine = true;
    return () => {
      if (!mine) return;
      mine = false;
      const next = line.shift();
      // Handed on rather than given back, so that nobody slips in between.
      if (next) next(taken());
      else busy--;
    };
  };

  const tryEnter = (): Release | null => {
    if (busy >= most) return null;
    busy++;
    return taken();
  };

  return {
    tryAcquire: tryEnter,
    async acquire(signal) {
      const free = tryEnter();
      if (free || line.length >= queue || signal.aborted) return free;
      return new Promise<Release | null>((resolve) => {
        const give = (release: Release | null): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', leave);
          resolve(release);
        };
        const leave = (): void => {
          line.splice(line.indexOf(give), 1);
          give(null);
        };
        const timer = setTimeout(leave, waitMs);
        signal.addEventListener('abort', leave, { once: true });
        line.push(give);
      });
    },
    get busy() {
      return busy;
    },
    get waiting() {
      return line.length;
    },
  };
}
