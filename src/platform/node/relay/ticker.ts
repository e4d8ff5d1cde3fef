/** Something that wants to be woken at a time. */
export type Sleeper = {
  /** Monotonic time in milliseconds; Infinity for never. */
  wakeAt: number;
  wakeUp(now: number): void;
};

/** Precision of the shared clock, in milliseconds. */
const periodMs = 250;

/**
 * One timer for all open responses: to start and stop a timer for each of them, and for each chunk,
 * costs more than to relay it.
 */
export class Ticker {
  readonly #sleepers = new Set<Sleeper>();
  #timer: NodeJS.Timeout | undefined;
  /** Monotonic time of the last tick: cheap to read, late by one period at most. */
  now = performance.now();

  add(sleeper: Sleeper): void {
    this.#sleepers.add(sleeper);
    if (this.#timer) return;
    this.now = performance.now();
    this.#timer = setInterval(this.#tick, periodMs).unref();
  }

  remove(sleeper: Sleeper): void {
    this.#sleepers.delete(sleeper);
  }

  readonly #tick = (): void => {
    this.now = performance.now();
    for (const sleeper of this.#sleepers) if (sleeper.wakeAt <= this.now) this.#wake(sleeper);
    if (this.#sleepers.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  };

  /** A sleeper that throws must not keep the others asleep. */
  #wake(sleeper: Sleeper): void {
    sleeper.wakeAt = Number.POSITIVE_INFINITY;
    try {
      sleeper.wakeUp(this.now);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}
