import type { Cache } from '../../ports/cache.ts';

export type BreakerOptions = {
  readonly now: () => number;
  /** Called when the cache fails for the first time after it worked. */
  onFailure(error: unknown): void;
  /** Called when the cache works again. */
  onRecovery(): void;
};

/** After an error the cache is not asked for this long. Then one call tries it again. */
const pauseMs = 5000;

/**
 * A cache that is not asked again for a while after an error: a broken or slow store costs one call
 * each 5 seconds, not one for each use. An error is a miss.
 */
export function withCircuitBreaker(cache: Cache, { now, onFailure, onRecovery }: BreakerOptions): Cache {
  let failing = false;
  let pausedUntil = 0;

  const attempt = async <R>(call: () => Promise<R>): Promise<R | undefined> => {
    if (now() < pausedUntil) return undefined;
    const isTrial = failing;
    // While one call tries the cache again, the others do not wait for it.
    if (isTrial) pausedUntil = now() + pauseMs;
    try {
      const result = await call();
      if (isTrial) {
        failing = false;
        pausedUntil = 0;
        onRecovery();
      }
      return result;
    } catch (error) {
      pausedUntil = now() + pauseMs;
      if (!failing) onFailure(error);
      failing = true;
      return undefined;
    }
  };

  return {
    get: (key) => attempt(() => cache.get(key)),
    set: async (key, value, ttlSeconds) => void (await attempt(() => cache.set(key, value, ttlSeconds))),
    delete: async (key) => void (await attempt(() => cache.delete(key))),
  };
}
