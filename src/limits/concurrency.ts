import type { Credentials } from '../access/credentials.ts';
import { Failure } from '../http/failure.ts';

type Limits = { readonly maxConcurrent: number; readonly maxConcurrentPerCaller: number };

/** Counts the requests being served, in all and by key, and refuses those beyond the limits. */
export function createConcurrencyLimit({ maxConcurrent, maxConcurrentPerCaller }: Limits) {
  const byCaller = new Map<string, number>();
  let count = 0;
  const noRelease = () => {};

  return {
    /**
     * Counts a request. Returns a function to call when it is over. Throws a 503 or a 429 if there
     * are too many.
     */
    enter({ accessKey, openaiKey, ownKey }: Credentials): () => void {
      if (maxConcurrent === 0 && maxConcurrentPerCaller === 0) return noRelease;
      if (maxConcurrent > 0 && count >= maxConcurrent)
        throw new Failure(
          'unavailable',
          `The gateway serves ${maxConcurrent} requests already, the most that MAX_CONCURRENT allows. Try again shortly.`,
          { headers: { 'retry-after': '1' } },
        );
      const caller = accessKey ?? openaiKey ?? ownKey ?? '';
      const ofCaller = byCaller.get(caller) ?? 0;
      if (maxConcurrentPerCaller > 0 && ofCaller >= maxConcurrentPerCaller)
        throw new Failure(
          'rate_limit_exceeded',
          `There are ${ofCaller} requests with this key already, the most that MAX_CONCURRENT_PER_CALLER allows. Wait for one to end.`,
          { headers: { 'retry-after': '1' } },
        );
      count++;
      byCaller.set(caller, ofCaller + 1);
      let isOver = false;
      return () => {
        if (isOver) return;
        isOver = true;
        count--;
        const left = (byCaller.get(caller) ?? 1) - 1;
        if (left > 0) byCaller.set(caller, left);
        else byCaller.delete(caller);
      };
    },
  };
}
