import { type Cache, keyText, parseEntry } from '../../../ports/cache.ts';

/** What the entries of several programs in one Redis are told apart by. */
const prefix = 'sluice:';

export type RedisCache = Cache & { close(): void };

/**
 * A cache that many machines share. A Redis that cannot be reached fails at once instead of collecting commands, and is looked for
 * again by itself.
 */
export async function openRedisCache(url: string, failed: (error: Error) => void): Promise<RedisCache> {
  const { createClient } = await import('@redis/client');
  const client = createClient({
    url,
    disableOfflineQueue: true,
    socket: { connectTimeout: 2000, reconnectStrategy: (retries) => Math.min(100 * 2 ** retries, 10_000) },
    commandOptions: { timeout: 2000 },
  });
  client.on('error', failed);
  let connecting: Promise<unknown> | undefined;
  const ready = async () => {
    if (client.isReady) return client;
    connecting ??= client.connect().catch(() => {});
    await Promise.race([connecting, new Promise((resolve) => setTimeout(resolve, 2000).unref())]);
    if (!client.isReady) throw new Error('Redis cannot be reached');
    return client;
  };
  return {
    async get(key) {
      return parseEntry(await (await ready()).get(prefix + keyText(key)));
    },
    async set(key, value, ttlSeconds) {
      await (await ready()).set(prefix + keyText(key), JSON.stringify(value), {
        expiration: { type: 'EX', value: Math.max(Math.ceil(ttlSeconds), 1) },
      });
    },
    async delete(key) {
      await (await ready()).del(prefix + keyText(key));
    },
    close: () => client.destroy(),
  };
}
