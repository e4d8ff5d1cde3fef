import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Blobs } from '../../../ports/blobs.ts';
import type { Cache } from '../../../ports/cache.ts';
import type { Hash } from '../../../ports/hash.ts';
import type { Log } from '../../../ports/log.ts';
import type { Settings } from '../../../settings/schema.ts';
import { createMemoryCache } from '../../memory/cache.ts';
import { createDiskBlobs } from './disk-blobs.ts';
import { openRedisCache } from './redis-cache.ts';
import { createS3Blobs } from './s3-blobs.ts';
import { openSqliteCache } from './sqlite-cache.ts';

/** Where blobs go: to S3 where that is configured, else below the data folder. Nothing is made before it is needed. */
export function blobsFor({ s3, dataDir }: Settings): Blobs {
  return s3 ? createS3Blobs(s3) : createDiskBlobs(dataDir);
}

/** A cache and the way to leave it. */
export type OpenCache = Cache & { close(): Promise<void> };

/**
 * The cache: Redis where that is configured, else a file in the data folder, opened when it is first used. Where the file cannot be
 * written, memory does.
 */
export function cacheFor({ redisUrl, dataDir }: Settings, log: Log): OpenCache {
  let close = () => {};
  let opened: Promise<Cache> | undefined;
  const open = async (): Promise<Cache> => {
    if (redisUrl !== undefined) {
      let told = false;
      const redis = await openRedisCache(redisUrl, (error) => {
        if (!told) log('warn', 'Redis cannot be used', { error: error.message });
        told = true;
      });
      close = redis.close;
      return redis;
    }
    try {
      return await openSqliteCache(join(dataDir, 'cache.sqlite'), Date.now);
    } catch (error) {
      log('warn', 'the cache is kept in memory only: DATA_DIR cannot be used', {
        error: error instanceof Error ? error.message : String(error),
      });
      return createMemoryCache(Date.now);
    }
  };
  const cache = () => (opened ??= open());
  return {
    get: async (key) => (await cache()).get(key),
    set: async (key, value, ttlSeconds) => (await cache()).set(key, value, ttlSeconds),
    delete: async (key) => (await cache()).delete(key),
    async close() {
      if (opened) await opened;
      close();
    },
  };
}

/** SHA-256 by the machine's own library. */
export function sha256(): Hash {
  const hash = createHash('sha256');
  return { update: (bytes) => void hash.update(bytes), hex: async () => hash.digest('hex') };
}
