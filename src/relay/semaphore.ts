/** Gives a slot back. A second call does nothing. */
export type Release = () => void;

/** Limits how many run at once, with a bounded queue. First come, first served. */
export interface Semaphore {
  /** A slot at once; null if none is free. */
  tryAcquire(): Release | null;
  /**
   * Queues for a slot and calls back once, never synchronously: with the slot, or with null if the
   * wait takes too long. Gives a function that leaves the queue, or null if the queue is full.
   */
  enqueue(granted: (release: Release | null) => void): (() => void) | null;
  /**
   * A slot as soon as one is free; null if the queue is full, the wait too long, or the signal
   * fires.
   */
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

export function createSemaphore({ limit, queue: maxQueue, waitMs }: SemaphoreLimits): Semaphore {
  let busy = 0;
  const queue: ((release: Release) => void)[] = [];

  const taken = (): Release => {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const next = queue.shift();
      // Handed over directly, so that no newcomer overtakes the queue.
      if (next) next(taken());
      else busy--;
    };
  };

  const tryAcquire = (): Release | null => {
    if (busy >= limit) return null;
    busy++;
    return taken();
  };

  const enqueue: Semaphore['enqueue'] = (granted) => {
    if (queue.length >= maxQueue) return null;
    const leave = (): void => {
      clearTimeout(timer);
      const index = queue.indexOf(grant);
      if (index >= 0) queue.splice(index, 1);
    };
    const grant = (release: Release): void => {
      clearTimeout(timer);
      granted(release);
    };
    const timer = setTimeout(() => {
      leave();
      granted(null);
    }, waitMs);
    queue.push(grant);
    return leave;
  };

  return {
    tryAcquire,
    enqueue,
    acquire(signal) {
      const free = signal.aborted ? null : tryAcquire();
      if (free || signal.aborted) return Promise.resolve(free);
      return new Promise((resolve) => {
        const settle = (release: Release | null): void => {
          signal.removeEventListener('abort', abort);
          resolve(release);
        };
        const leave = enqueue(settle);
        const abort = (): void => {
          leave?.();
          settle(null);
        };
        if (leave) signal.addEventListener('abort', abort, { once: true });
        else settle(null);
      });
    },
    get busy() {
      return busy;
    },
    get waiting() {
      return queue.length;
    },
  };
}
