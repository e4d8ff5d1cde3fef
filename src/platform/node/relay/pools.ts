import { type Dispatcher, Pool } from 'undici';
import type { Timeouts } from '../../../relay/relay.ts';

/** Connections to upstreams, kept open between requests, one pool for each origin. */
export function createPools() {
  const pools = new Map<string, Pool>();
  return {
    to(origin: string, timeouts: Timeouts): Dispatcher {
      let pool = pools.get(origin);
      if (!pool) {
        pool = new Pool(origin, {
          connect: { timeout: timeouts.connect * 1000 },
          headersTimeout: timeouts.firstByte * 1000,
          bodyTimeout: timeouts.idle * 1000,
          // One connection carries one answer at a time; a stream can be cut without cutting others.
          allowH2: false,
          pipelining: 1,
        });
        pools.set(origin, pool);
      }
      return pool;
    },
    async close(): Promise<void> {
      await Promise.all([...pools.values()].map((pool) => pool.destroy()));
    },
  };
}

export type Pools = ReturnType<typeof createPools>;
