import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeCache } from '../../../../test/contract/cache.ts';
import { freePort, type Redis, startRedis } from '../../../../test/redis.ts';
import { openRedisCache, type RedisCache } from './redis-cache.ts';

let redis: Redis | null = null;
const open: RedisCache[] = [];
const connect = async (url: string) => {
  const cache = await openRedisCache(url, () => {});
  open.push(cache);
  return cache;
};

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
    return { cache: await connect(redis.url) };
  });

  test('several gateways share it', async () => {
    const [one, two] = [await connect(redis?.url ?? ''), await connect(redis?.url ?? '')];
    await one.set(['shared'], { a: 1 }, 100);
    expect(await two.get(['shared'])).toEqual({ a: 1 });
  });

  test('one that is not there fails soon, and is used once it is', async () => {
    const port = await freePort();
    const cache = await connect(`redis://127.0.0.1:${port}`);
    const began = Date.now();
    await expect(cache.get(['a'])).rejects.toThrow('Redis cannot be reached');
    expect(Date.now() - began).toBeLessThan(5000);
    const late = await startRedis(port);
    await expect
      .poll(() => cache.set(['a'], 1, 100).then(() => cache.get(['a'])), { timeout: 20_000, interval: 200 })
      .toBe(1);
    await late?.stop();
  });
});
