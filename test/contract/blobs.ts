import { describe, expect, test } from 'vitest';
import type { Blobs } from '../../src/ports/blobs.ts';

const facts = { type: 'image/png', fileName: 'ein Bild 图.png' };

async function* pieces(...chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield chunk;
}

async function read(body: ReadableStream<Uint8Array> | undefined): Promise<Uint8Array> {
  return new Uint8Array(await new Response(body).arrayBuffer());
}

/** Bytes that differ from place to place. */
function pattern(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8)) & 0xff;
  return bytes;
}

/** The contract of every store of blobs. Tests share one store, so their keys differ. */
export function describeBlobs(name: string, make: () => Promise<Blobs>): void {
  describe(`blobs in ${name}`, () => {
    let made: Promise<Blobs> | undefined;
    const store = () => (made ??= make());

    test('returns the bytes and facts that were stored', async () => {
      const blobs = await store();
      const bytes = pattern(70_000);
      await blobs.put(
        'media/a1',
        pieces(bytes.subarray(0, 1), bytes.subarray(1, 60_000), bytes.subarray(60_000)),
        facts,
      );
      const found = await blobs.get('media/a1');
      expect(found).toMatchObject({ ...facts, size: bytes.length });
      expect(await read(found?.body)).toEqual(bytes);
      const { storedAt } = found ?? { storedAt: 0 };
      expect(Math.abs(Date.now() - storedAt)).toBeLessThan(60_000);
      expect(await blobs.head('media/a1')).toMatchObject({ ...facts, size: bytes.length });
    });

    test('returns part of a blob', async () => {
      const blobs = await store();
      const bytes = pattern(1000);
      await blobs.put('media/a2', pieces(bytes), { type: 'text/plain', fileName: null });
      for (const [offset, length] of [
        [0, 2],
        [999, 1],
        [10, 500],
        [0, 1000],
      ] as const) {
        const found = await blobs.get('media/a2', { offset, length });
        expect(found).toMatchObject({ size: 1000, fileName: null });
        expect(await read(found?.body)).toEqual(bytes.subarray(offset, offset + length));
      }
    });

    test('stores more than one part', { timeout: 60_000 }, async () => {
      const blobs = await store();
      const bytes = pattern(17 * 1024 * 1024 + 5);
      const cut = async function* () {
        for (let at = 0; at < bytes.length; at += 1_000_000) yield bytes.subarray(at, at + 1_000_000);
      };
      await blobs.put('media/a3', cut(), facts);
      const found = await blobs.get('media/a3');
      expect(found?.size).toBe(bytes.length);
      const back = await read(found?.body);
      expect(back.length).toBe(bytes.length);
      expect(back.every((byte, i) => byte === bytes[i])).toBe(true);
      const part = await blobs.get('media/a3', { offset: 16 * 1024 * 1024, length: 100 });
      expect(await read(part?.body)).toEqual(bytes.subarray(16 * 1024 * 1024, 16 * 1024 * 1024 + 100));
    });

    test('stores an empty body', async () => {
      const blobs = await store();
      await blobs.put('media/a4', pieces(), facts);
      const found = await blobs.get('media/a4');
      expect(found?.size).toBe(0);
      expect(await read(found?.body)).toEqual(new Uint8Array());
    });

    test('stores nothing of a body that fails', async () => {
      const blobs = await store();
      for (const [key, before] of [
        ['media/b1', 100],
        ['media/b2', 20 * 1024 * 1024],
      ] as const) {
        const broken = async function* () {
          for (let at = 0; at < before; at += 1_000_000) yield pattern(Math.min(1_000_000, before));
          throw new Error('it broke off');
        };
        await expect(blobs.put(key, broken(), facts)).rejects.toThrow('it broke off');
        expect(await blobs.head(key)).toBeNull();
        expect(await blobs.get(key)).toBeNull();
      }
    });

    test('returns null for a key that was never stored, and deletes it without an error', async () => {
      const blobs = await store();
      expect(await blobs.get('media/none')).toBeNull();
      expect(await blobs.head('media/none')).toBeNull();
      expect(await blobs.get('media/none', { offset: 0, length: 1 })).toBeNull();
      await blobs.delete(['media/none']);
    });

    test('deletes', async () => {
      const blobs = await store();
      await blobs.put('media/c1', pieces(pattern(10)), facts);
      await blobs.put('media/c2', pieces(pattern(10)), facts);
      expect(await blobs.get('media/c1')).not.toBeNull();
      await blobs.delete(['media/c1', 'media/c2']);
      expect(await blobs.get('media/c1')).toBeNull();
      expect(await blobs.head('media/c2')).toBeNull();
    });

    test('lists what is below a prefix, and nothing that only begins alike', async () => {
      const blobs = await store();
      for (const key of ['uploads/aa/1', 'uploads/aa/2', 'uploads/aab/3'])
        await blobs.put(key, pieces(pattern(key.length)), facts);
      const listed = [];
      for await (const each of blobs.list('uploads/aa/')) listed.push(each);
      expect(listed.map(({ key }) => key).sort()).toEqual(['uploads/aa/1', 'uploads/aa/2']);
      expect(listed[0]).toMatchObject({ size: 'uploads/aa/1'.length });
      expect(Math.abs(Date.now() - (listed[0]?.storedAt ?? 0))).toBeLessThan(60_000);
    });

    test('stores a hundred at once', async () => {
      const blobs = await store();
      const keys = Array.from({ length: 100 }, (_, i) => `many/${i}`);
      await Promise.all(keys.map((key, i) => blobs.put(key, pieces(pattern(i + 1)), facts)));
      const sizes = await Promise.all(keys.map(async (key) => (await blobs.head(key))?.size));
      expect(sizes).toEqual(keys.map((_, i) => i + 1));
    });

    test.each(['', '../x', 'a/../b', '/a', 'a//b', 'A', 'a\0b', 'a/', `${'a'.repeat(300)}`])(
      'refuses the key %j',
      async (key) => {
        const blobs = await store();
        await expect(blobs.put(key, pieces(pattern(1)), facts)).rejects.toThrow('not a key');
        await expect(blobs.head(key)).rejects.toThrow('not a key');
        await expect(blobs.get(key)).rejects.toThrow('not a key');
      },
    );
  });
}
