import type { Cache } from '../../ports/cache.ts';
import type { Tasks } from '../../ports/tasks.ts';

/** The same cache, but no response waits for a write: it goes on after the response was sent. */
export function withWriteBehind(cache: Cache, { defer }: Pick<Tasks, 'defer'>): Cache {
  return {
    get: cache.get,
    async set(key, value, ttlSeconds) {
      defer(cache.set(key, value, ttlSeconds));
    },
    async delete(key) {
      defer(cache.delete(key));
    },
  };
}
