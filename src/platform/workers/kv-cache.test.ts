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
  'what somebody else wrote there is not there: %s',
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
