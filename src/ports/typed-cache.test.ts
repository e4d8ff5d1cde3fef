import * as v from 'valibot';
import { expect, test } from 'vitest';
import { createMemoryCache } from '../platform/memory/cache.ts';
import type { Cache } from './cache.ts';
import { typedCache } from './typed-cache.ts';

const schema = v.object({ id: v.string() });

function made(cache: Cache) {
  const lines: string[] = [];
  return {
    lines,
    table: typedCache({ cache, log: (_, message) => void lines.push(message) }, 'kind', schema, 100),
  };
}

test('returns what fits the schema', async () => {
  const { table: view } = made(createMemoryCache(() => 0));
  await view.set({ id: 'x' }, 'a', 'b');
  expect(await view.get('a', 'b')).toEqual({ id: 'x' });
  await view.delete('a', 'b');
  expect(await view.get('a', 'b')).toBeUndefined();
});

test.each([null, 1, 'text', [], {}, { id: 5 }, { id: { $gt: '' } }])(
  'what does not fit the schema is a miss: %j',
  async (value) => {
    const cache = createMemoryCache(() => 0);
    await cache.set(['kind', 'a'], value, 100);
    expect(await made(cache).table.get('a')).toBeUndefined();
  },
);

test('a cache error is logged and treated as a miss', async () => {
  const failing = async () => {
    throw new Error('gone');
  };
  const { table: view, lines } = made({ get: failing, set: failing, delete: failing });
  expect(await view.get('a')).toBeUndefined();
  await view.set({ id: 'x' }, 'a');
  await view.delete('a');
  expect(lines).toHaveLength(3);
});
