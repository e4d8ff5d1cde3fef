import { env } from 'cloudflare:workers';
import { expect, test } from 'vitest';
import { describeCache } from '../../../test/contract/cache.ts';
import { createKvCache, type KvNamespace } from './kv-cache.ts';

const namespace = env.CACHE as KvNamespace;

describeCache('KV', async () => {
  let now = Date.now();
  return {
    cache: createKvCache(namespace, () => now),
    pass: (seconds) => {
      now += seconds * 1000;
    },
  };
});

test.each(['not JSON', '{}', '{"value":1}', '{"value":1,"until":"later"}', '[]', 'null'])(
  'an entry of another program is a miss: %s',
  async (text) => {
    await namespace.put('foreign:a', text, { expirationTtl: 60 });
    expect(await createKvCache(namespace, Date.now).get(['foreign', 'a'])).toBeUndefined();
  },
);

test('a name that is too long for KV is a miss', async () => {
  const cache = createKvCache(namespace, Date.now);
  const key = ['long', 'x'.repeat(600)] as const;
  await cache.set(key, 1, 100);
  expect(await cache.get(key)).toBeUndefined();
  await cache.delete(key);
});

test('a KV that does not answer fails a call soon', async () => {
  const never = new Promise<never>(() => {});
  const mute: KvNamespace = { get: () => never, put: () => never, delete: () => never };
  const cache = createKvCache(mute, Date.now, { readSeconds: 0.05, writeSeconds: 0.05 });
  await expect(cache.get(['a'])).rejects.toThrow('in time');
  await expect(cache.set(['a'], 1, 100)).rejects.toThrow('in time');
  await expect(cache.delete(['a'])).rejects.toThrow('in time');
});
