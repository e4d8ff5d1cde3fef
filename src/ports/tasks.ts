/** Time and work beside a request. */
export interface Tasks {
  /** Milliseconds since the epoch. For durations use `performance.now()`. */
  now(): number;
  /** Keeps work alive after the response is sent. */
  defer(work: Promise<unknown>): void;
  /**
   * Runs work that holds a file's worth of memory: only some at once, and fewer of one caller, if
   * requests can wait for each other. `caller` is a hash of the caller's key or address.
   */
  limitMemory<T>(work: () => Promise<T>, caller?: string): Promise<T>;
  /** Whether one request may wait for another to end. On Workers it may not. */
  readonly canQueue: boolean;
}
