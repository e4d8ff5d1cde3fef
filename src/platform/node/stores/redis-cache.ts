import type { RedisClientType } from '@redis/client';
import { type Cache, keyText, parseEntry } from '../../../ports/cache.ts';
import { withTimeout } from '../../../streams/with-timeout.ts';

/** Tells our entries from those of other programs in one Redis. */
const prefix = 'sluice:';

/** Longest time that a command may take, the first connection included. */
const commandSeconds = 0.5;

/** Longest time to connect and log in. */
const connectSeconds = 2;

/** Pauses between attempts to connect. */
const firstPauseMs = 500;
const maxPauseMs = 10_000;

export type RedisCache = Cache & { close(): void };

type Client = Pick<RedisClientType, 'get' | 'set' | 'del' | 'destroy' | 'isOpen'>;

/**
 * A cache that several machines share. It connects when it is made and reconnects by itself. Each
 * command fails after 0.5 s, and at once while there is no connection. `@redis/client` has no limit
 * for a command that was written, so a command that is too slow ends the connection: it may be
 * dead.
 */
export function createRedisCache(url: string): RedisCache {
  let client: Client | null = null;
  let closed = false;
  let pauseMs = firstPauseMs;
  let lastError: Error | null = null;
  let timer: NodeJS.Timeout | undefined;

  const drop = (broken: Client, error: Error): void => {
    lastError = error;
    if (client === broken) client = null;
    if (broken.isOpen) broken.destroy();
    if (closed || timer !== undefined) return;
    timer = setTimeout(() => {
      timer = undefined;
      void connect();
    }, pauseMs).unref();
    pauseMs = Math.min(pauseMs * 2, maxPauseMs);
  };

  const connect = async (): Promise<void> => {
    const { createClient } = await import('@redis/client');
    const fresh = createClient({
      url,
      disableOfflineQueue: true,
      socket: { connectTimeout: connectSeconds * 1000, reconnectStrategy: false },
    });
    const candidate = fresh as unknown as Client;
    fresh.on('error', (error: Error) => drop(candidate, error));
    try {
      await withTimeout(fresh.connect(), connectSeconds, tooSlow);
      if (closed) return fresh.destroy();
      client = candidate;
      pauseMs = firstPauseMs;
    } catch (error) {
      drop(candidate, error instanceof Error ? error : new Error(String(error)));
    }
  };
  const firstAttempt = connect();

  const run = async <R>(command: (connected: Client) => Promise<R>): Promise<R> => {
    if (!client && lastError === null) await firstAttempt;
    if (!client) throw new Error('Redis cannot be reached', { cause: lastError });
    return command(client);
  };

  const limited = async <R>(command: (connected: Client) => Promise<R>): Promise<R> => {
    const used = client;
    const late = (): Error => {
      const error = tooSlow();
      if (used) drop(used, error);
      return error;
    };
    return withTimeout(run(command), commandSeconds, late);
  };

  return {
    get: (key) => limited(async (redis) => parseEntry(await redis.get(prefix + keyText(key)))),
    set: (key, value, ttlSeconds) =>
      limited(async (redis) => {
        await redis.set(prefix + keyText(key), JSON.stringify(value), {
          expiration: { type: 'EX', value: Math.max(Math.ceil(ttlSeconds), 1) },
        });
      }),
    delete: (key) => limited(async (redis) => void (await redis.del(prefix + keyText(key)))),
    close() {
      closed = true;
      clearTimeout(timer);
      if (client?.isOpen) client.destroy();
    },
  };
}

function tooSlow(): Error {
  return new Error('Redis did not answer in time');
}
