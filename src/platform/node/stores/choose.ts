import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Blobs } from '../../../ports/blobs.ts';
import type { Cache } from '../../../ports/cache.ts';
import type { Hash } from '../../../ports/hash.ts';
import type { Log } from '../../../ports/log.ts';
import type { Settings } from '../../../settings/schema.ts';
import { createMemoryCache } from '../../memory/cache.ts';
import { withCircuitBreaker } from '../../memory/cache-breaker.ts';
import { createTieredCache } from '../../memory/tiered-cache.ts';
import { createDiskBlobs } from './disk-blobs.ts';
import { createRedisCache } from './redis-cache.ts';
import { createS3Blobs } from './s3-blobs.ts';
import { isBroken, openSqliteCache, type SqliteCache } from './sqlite-cache.ts';

/**
 * The store of blobs: S3 if it is configured, else a folder. Nothing is made before it is needed.
 */
export function blobsFor({ s3, dataDir }: Settings): Blobs {
  return s3 ? createS3Blobs(s3) : createDiskBlobs(dataDir);
}

/** A cache and the way to close it. */
export type OpenCache = Cache & { close(): Promise<void> };

/** Seconds for which memory answers. Another process may have changed the value meanwhile. */
const freshSeconds = 60;

/** The cache: memory in front of Redis if it is configured, else of a file in the data folder. */
export function cacheFor({ redisUrl, dataDir }: Settings, log: Log): OpenCache {
  const shared = redisUrl === undefined ? fileCache(dataDir) : redisCache(redisUrl);
  const name = redisUrl === undefined ? 'cache.sqlite in DATA_DIR' : 'Redis';
  const guarded = withCircuitBreaker(shared, {
    now: () => performance.now(),
    onFailure: (error) =>
      log('warn', `${name} cannot be used: what it would hold is learned again`, {
        error: messageOf(error),
      }),
    onRecovery: () => log('info', `${name} can be used again`),
  });
  const tiered = createTieredCache(createMemoryCache(Date.now), guarded, { now: Date.now, freshSeconds });
  return { ...tiered, close: shared.close };
}

function redisCache(url: string): OpenCache {
  const redis = createRedisCache(url);
  return { ...redis, close: async () => redis.close() };
}

/** The file, opened when it is first used. After an error it is opened again at the next use. */
function fileCache(dataDir: string): OpenCache {
  let opened: Promise<SqliteCache> | undefined;
  const use = async <R>(call: (cache: SqliteCache) => Promise<R>): Promise<R> => {
    opened ??= openSqliteCache(join(dataDir, 'cache.sqlite'), Date.now);
    const current = opened;
    const cache = await current.catch((error: unknown) => {
      if (opened === current) opened = undefined;
      throw error;
    });
    try {
      return await call(cache);
    } catch (error) {
      if (isBroken(error) && opened === current) {
        opened = undefined;
        cache.close();
      }
      throw error;
    }
  };
  return {
    get: (key) => use((cache) => cache.get(key)),
    set: (key, value, ttlSeconds) => use((cache) => cache.set(key, value, ttlSeconds)),
    delete: (key) => use((cache) => cache.delete(key)),
    async close() {
      (await opened?.catch(() => null))?.close();
      opened = undefined;
    },
  };
}

/** SHA-256 by the machine's own library. */
export function sha256(): Hash {
  const hash = createHash('sha256');
  return { update: (bytes) => void hash.update(bytes), hex: async () => hash.digest('hex') };
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error ? `${error.message}: ${cause.message}` : error.message;
}
