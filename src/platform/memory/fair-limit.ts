export type FairLimitOptions = {
  /** Most pieces of work that run at once. */
  readonly total: number;
  /** Most of them for one caller. */
  readonly perCaller: number;
};

type Waiting = { readonly caller: string | undefined; start(): void };

/**
 * Runs only so much work at once, and only part of it for one caller. The rest waits in order. Work
 * of a caller who has all his places is passed over. Work without a caller has only the first
 * limit.
 */
export function createFairLimit({ total, perCaller }: FairLimitOptions) {
  const queue: Waiting[] = [];
  const byCaller = new Map<string, number>();
  let running = 0;

  const hasPlace = (caller: string | undefined): boolean =>
    running < total && (caller === undefined || (byCaller.get(caller) ?? 0) < perCaller);

  const enter = (caller: string | undefined): void => {
    running++;
    if (caller !== undefined) byCaller.set(caller, (byCaller.get(caller) ?? 0) + 1);
  };

  const leave = (caller: string | undefined): void => {
    running--;
    if (caller !== undefined) {
      const rest = (byCaller.get(caller) ?? 1) - 1;
      if (rest > 0) byCaller.set(caller, rest);
      else byCaller.delete(caller);
    }
    const next = queue.findIndex((waiting) => hasPlace(waiting.caller));
    if (next < 0) return;
    const [waiting] = queue.splice(next, 1);
    if (!waiting) return;
    enter(waiting.caller);
    waiting.start();
  };

  return async <T>(work: () => Promise<T>, caller?: string): Promise<T> => {
    if (hasPlace(caller)) enter(caller);
    else await new Promise<void>((resolve) => queue.push({ caller, start: resolve }));
    try {
      return await work();
    } finally {
      leave(caller);
    }
  };
}
