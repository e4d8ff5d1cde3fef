import type { Credentials } from '../access/credentials.ts';
import { Failure } from '../http/failure.ts';

type Limits = { readonly maxConcurrent: number; readonly maxConcurrentPerCaller: number };

/** Counts the requests being served, in all and by key, and refuses those beyond the limits. */
export function createConcurrencyLimit({ maxConcurrent, maxConcurrentPerCaller }: Limits) {
  const byCaller = new Map<string, number>();
  let count = 0;
  const nobody = () => {};

  return {
    /** Lets a request in; gives what is to be called once it is over. Throws a 503 or a 429 where there are too many. */
    enter({ accessKey, openaiKey, ownKey }: Credentials): () => void {
      if (maxConcurrent === 0 && maxConcurrentPerCaller === 0) return nobody;
      if (maxConcurrent > 0 && count >= maxConcurrent)
        throw new Failure(
          'unavailable',
          `The gateway serves ${maxConcurrent} requests already, the most that MAX_CONCURRENT allows. Try again shortly.`,
          { headers: { 'retry-after': '1' } },
        );
      const caller = accessKey ?? openaiKey ?? ownKey ?? '';
      const mine = byCaller.get(caller) ?? 0;
      if (maxConcurrentPerCaller > 0 && mine >= maxConcurrentPerCaller)
        throw new Failure(
          'rate_limit_exceeded',
          `There are ${mine} requests with this key already, the most that MAX_CONCURRENT_PER_CALLER allows. Wait for one to end.`,
          { headers: { 'retry-after': '1' } },
        );
      count++;
      byCaller.set(caller, mine + 1);
      let inside = true;
      return () => {
        if (!inside) return;
        inside = false;
        count--;
        const left = (byCaller.get(caller) ?? 1) - 1;
        if (left > 0) byCaller.set(caller, left);
        else byCaller.delete(caller);
      };
    },
  };
}
