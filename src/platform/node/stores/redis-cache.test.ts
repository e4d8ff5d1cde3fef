import { createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeCache } from '../../../../test/contract/cache.ts';
import { freePort, type Redis, startRedis } from '../../../../test/redis.ts';
import { createRedisCache, type RedisCache } from './redis-cache.ts';

let redis: Redis | null = null;
const open: RedisCache[] = [];
const connect = (url: string) => {
  const cache = createRedisCache(url);
  open.push(cache);
  return cache;
};

/** A cache that is connected. On a busy machine that takes longer than a command may. */
async function connected(url: string): Promise<RedisCache> {
  const cache = connect(url);
  await expect.poll(() => cache.get(['connected']).catch(String), { timeout: 20_000 }).toBeUndefined();
  return cache;
}

beforeAll(async () => {
  redis = await startRedis();
}, 120_000);
afterAll(async () => {
  for (const cache of open) cache.close();
  await redis?.stop();
});

describe('with a real Redis', { timeout: 30_000 }, () => {
  describeCache('Redis', async () => {
    if (!redis) throw new Error('there is no redis-server here: install it');
    return { cache: await connected(redis.url) };
  });

  test('several gateways share it', async () => {
    const [one, two] = [await connected(redis?.url ?? ''), await connected(redis?.url ?? '')];
    await one.set(['shared'], { a: 1 }, 100);
    expect(await two.get(['shared'])).toEqual({ a: 1 });
  });

  test('fails at once while it is down, and connects by itself when it comes', async () => {
    const port = await freePort();
    const cache = connect(`redis://127.0.0.1:${port}`);
    await expect(cache.get(['a'])).rejects.toThrow('Redis cannot be reached');
    const late = await startRedis(port);
    await expect
      .poll(() => cache.set(['a'], 1, 100).then(() => cache.get(['a'])), { timeout: 20_000, interval: 200 })
      .toBe(1);
    await late?.stop();
    await expect.poll(() => cache.get(['a']).catch(String)).toContain('Redis cannot be reached');
    const again = await startRedis(port);
    await expect
      .poll(() => cache.get(['a']).catch(String), { timeout: 20_000, interval: 200 })
      .toBeUndefined();
    await again?.stop();
  });

  test('a command to a Redis that hangs fails, and it is used again when it goes on', async () => {
    const own = await startRedis();
    const cache = await connected(own?.url ?? '');
    await cache.set(['a'], 1, 100);
    own?.pause();
    await expect(cache.get(['a'])).rejects.toThrow('did not answer in time');
    // The connection is given up, so that further calls cost nothing.
    await expect(cache.get(['a'])).rejects.toThrow('Redis cannot be reached');
    own?.resume();
    await expect.poll(() => cache.get(['a']).catch(String), { timeout: 20_000, interval: 200 }).toBe(1);
    await own?.stop();
  });
});

test('a server that accepts and never answers fails the first command, and each later one at once', async () => {
  const sockets = new Set<Socket>();
  const mute: Server = createServer((socket) => void sockets.add(socket));
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
  const address = mute.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const cache = connect(`redis://127.0.0.1:${port}`);
  await expect(cache.get(['a'])).rejects.toThrow();
  await expect
    .poll(() => cache.get(['a']).catch((error: Error) => error.message), { timeout: 10_000 })
    .toBe('Redis cannot be reached');
  for (const socket of sockets) socket.destroy();
  mute.close();
});
