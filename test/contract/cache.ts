import { describe, expect, test } from 'vitest';
import type { Cache } from '../../src/ports/cache.ts';

/** A cache, and a way to move its clock if it has one. */
export type Made = { readonly cache: Cache; pass?(seconds: number): void | Promise<void> };

/** The contract of every cache. */
export function describeCache(name: string, make: () => Promise<Made>): void {
  describe(`a cache in ${name}`, () => {
    let made: Promise<Made> | undefined;
    const store = () => (made ??= make());

    test.each([
      ['a text', 'wörter 图'],
      ['an object', { a: [1, { b: null }], c: 'x' }],
      ['null', null],
      ['a number', 0],
    ])('gives back %s', async (kind, value) => {
      const { cache } = await store();
      await cache.set(['kinds', kind], value, 100);
      expect(await cache.get(['kinds', kind])).toEqual(value);
    });

    test('returns undefined for a key that was never set', async () => {
      const { cache } = await store();
      expect(await cache.get(['never', 'set'])).toBeUndefined();
      await cache.delete(['never', 'set']);
    });

    test('returns the newest value', async () => {
      const { cache } = await store();
      await cache.set(['newest', 'a'], 1, 100);
      await cache.set(['newest', 'a'], 2, 100);
      expect(await cache.get(['newest', 'a'])).toBe(2);
    });

    test('deletes', async () => {
      const { cache } = await store();
      await cache.set(['gone', 'a'], 1, 100);
      await cache.delete(['gone', 'a']);
      expect(await cache.get(['gone', 'a'])).toBeUndefined();
    });

    test('returns nothing after the expiry', async () => {
      const { cache, pass } = await store();
      await cache.set(['short', 'a'], 1, 1);
      expect(await cache.get(['short', 'a'])).toBe(1);
      if (pass) await pass(2);
      else await new Promise((resolve) => setTimeout(resolve, 1500));
      expect(await cache.get(['short', 'a'])).toBeUndefined();
    });

    test('keeps keys with any characters apart', async () => {
      const { cache } = await store();
      const keys = [
        ['k', 'a', 'b'],
        ['k', 'a:b'],
        ['k', 'a%3Ab'],
        ['k', 'a/b'],
        ['k', ''],
        ['k'],
        ['k', '\r\nDEL x'],
        ['k', '图'],
      ] as const;
      for (const [i, key] of keys.entries()) await cache.set(key, i, 100);
      for (const [i, key] of keys.entries()) expect(await cache.get(key)).toBe(i);
    });

    test('a value cannot be changed in place', async () => {
      const { cache } = await store();
      const value = { list: [1] };
      await cache.set(['copy', 'a'], value, 100);
      value.list.push(2);
      const got = (await cache.get(['copy', 'a'])) as typeof value;
      expect(got).toEqual({ list: [1] });
      got.list.push(3);
      expect(await cache.get(['copy', 'a'])).toEqual({ list: [1] });
    });

    test('survives two hundred writers', async () => {
      const { cache } = await store();
      await Promise.all(Array.from({ length: 200 }, (_, i) => cache.set(['many', String(i % 20)], i, 100)));
      const values = await Promise.all(Array.from({ length: 20 }, (_, i) => cache.get(['many', String(i)])));
      expect(values.every((value, i) => typeof value === 'number' && value % 20 === i)).toBe(true);
    });
  });
}
