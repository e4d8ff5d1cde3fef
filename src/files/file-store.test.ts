import { describe, expect, test } from 'vitest';
import { createMemoryBlobs } from '../../test/memory-blobs.ts';
import { picture } from '../emulator/png.ts';
import { createMemoryCache } from '../platform/memory/cache.ts';
import type { Hash } from '../ports/hash.ts';
import { createFileStore, type FileSource, idIn, onlyPictures, pathOf } from './file-store.ts';

/** SHA-256 by Web Crypto, which takes all bytes at once: enough for a test. */
function createHash(): Hash {
  const chunks: BlobPart[] = [];
  return {
    update: (bytes) => void chunks.push(bytes.slice()),
    hex: async () =>
      [...new Uint8Array(await crypto.subtle.digest('SHA-256', await new Blob(chunks).arrayBuffer()))]
        .map((byte) => byte.toString(16).padStart(2, '0'))
        .join(''),
  };
}

function made() {
  const blobs = createMemoryBlobs();
  const fileStore = createFileStore(blobs, { cache: createMemoryCache(Date.now), createHash, log: () => {} });
  return { blobs, fileStore };
}

function source(bytes: Uint8Array | string, more: Partial<FileSource> = {}): FileSource {
  return {
    body: new Blob([bytes as BlobPart]).stream() as ReadableStream<Uint8Array>,
    type: null,
    name: null,
    length: null,
    ...more,
  };
}

describe('the file store', () => {
  test('stores bytes under a name of 128 random bits, with their type', async () => {
    const { blobs, fileStore } = made();
    const kept = await fileStore.keep(source(picture('a')), 1e6);
    expect(kept).toMatchObject({ type: 'image/png', fileName: 'image.png' });
    expect(kept.id).toMatch(/^[0-9a-f]{32}$/);
    expect([...blobs.entries.keys()]).toEqual([`media/${kept.id}`]);
    expect(blobs.entries.get(`media/${kept.id}`)?.bytes).toEqual(picture('a'));
    expect(pathOf(kept)).toBe(`/images/${kept.id}.png`);
  });

  test('stores equal bytes once, whatever their name', async () => {
    const { blobs, fileStore } = made();
    const one = await fileStore.keep(source('a,b\n1,2', { name: '/mnt/data/one.csv' }), 1e6);
    const two = await fileStore.keep(source('a,b\n1,2', { name: 'two.csv' }), 1e6);
    expect(two.id).toBe(one.id);
    expect(blobs.entries.size).toBe(1);
    expect(pathOf(one)).toBe(`/files/${one.id}-one.csv`);
    expect(pathOf(two)).toBe(`/files/${one.id}-two.csv`);
  });

  test('stores them again once they were deleted', async () => {
    const { blobs, fileStore } = made();
    const one = await fileStore.keep(source('x'), 1e6);
    await fileStore.delete(one.id);
    const two = await fileStore.keep(source('x'), 1e6);
    expect(two.id).not.toBe(one.id);
    expect(blobs.entries.size).toBe(1);
  });

  test('keeps folders apart', async () => {
    const { blobs, fileStore } = made();
    await fileStore.keep(source('x'), 1e6, { folder: 'uploads/aa' });
    await fileStore.keep(source('x'), 1e6, { folder: 'uploads/bb' });
    expect(blobs.entries.size).toBe(2);
  });

  test('refuses a file that is too large, before or while it is stored', async () => {
    const { blobs, fileStore } = made();
    await expect(fileStore.keep(source('x'.repeat(11), { length: 11 }), 10)).rejects.toMatchObject({
      code: 'body_too_large',
    });
    await expect(fileStore.keep(source('x'.repeat(11)), 10)).rejects.toMatchObject({
      code: 'body_too_large',
    });
    await expect(fileStore.keep(source('x'.repeat(20_000)), 10_000)).rejects.toMatchObject({
      code: 'body_too_large',
    });
    expect(blobs.entries.size).toBe(0);
    expect(await fileStore.keep(source('x'.repeat(10)), 10)).toBeTruthy();
  });

  test('stores equal bytes twice in a folder where each file has an owner', async () => {
    const { blobs, fileStore } = made();
    const options = { folder: 'uploads/aa', shareEqual: false };
    const one = await fileStore.keep(source('x'), 1e6, options);
    const two = await fileStore.keep(source('x'), 1e6, options);
    expect(two.id).not.toBe(one.id);
    expect(blobs.entries.size).toBe(2);
  });

  test('refuses a type before anything is stored, and leaves the source', async () => {
    const { blobs, fileStore } = made();
    let left = false;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new TextEncoder().encode('<html>'.repeat(1000))),
      cancel: () => {
        left = true;
      },
    });
    const kept = fileStore.keep({ ...source('', { type: 'image/png' }), body }, 1e6, {
      checkType: onlyPictures,
    });
    await expect(kept).rejects.toMatchObject({ code: 'unsupported_media_type' });
    expect(blobs.entries.size).toBe(0);
    expect(left).toBe(true);
    expect(await fileStore.keep(source(picture('a')), 1e6, { checkType: onlyPictures })).toBeTruthy();
  });

  test('a storage that fails to read is a 503 with Retry-After, and the log has the reason', async () => {
    const blobs = createMemoryBlobs();
    const lines: unknown[] = [];
    const fileStore = createFileStore(blobs, {
      cache: createMemoryCache(Date.now),
      createHash,
      log: (...line) => void lines.push(line),
    });
    const fail = async () => {
      throw new Error('connect ECONNREFUSED 10.0.0.5:9000');
    };
    blobs.head = fail;
    blobs.get = fail;
    blobs.delete = fail;
    for (const work of [fileStore.head('a'), fileStore.get('a'), fileStore.delete('a')])
      await expect(work).rejects.toMatchObject({
        code: 'unavailable',
        message: 'The storage of the gateway does not answer. Try again shortly.',
        headers: { 'retry-after': '5' },
      });
    expect(lines).toHaveLength(3);
    expect(lines[0]).toEqual([
      'warn',
      'the storage of pictures and files failed',
      { error: 'connect ECONNREFUSED 10.0.0.5:9000' },
    ]);
  });

  test('stores nothing of a download that breaks off', async () => {
    const { blobs, fileStore } = made();
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (sent++ < 3) controller.enqueue(new Uint8Array(5000));
        else controller.error(new Error('reset'));
      },
    });
    await expect(fileStore.keep({ ...source(''), body }, 1e6)).rejects.toMatchObject({
      code: 'upstream_error',
      message: 'the download broke off',
    });
    expect(blobs.entries.size).toBe(0);
  });

  test.each([
    ['ENOSPC', 'storage is full'],
    ['EACCES', 'may not write'],
    ['EIO', 'could not be stored'],
  ])('says what is wrong with its storage: %s', async (code, words) => {
    const blobs = createMemoryBlobs();
    blobs.put = async () => {
      throw Object.assign(new Error(code), { code });
    };
    const fileStore = createFileStore(blobs, {
      cache: createMemoryCache(Date.now),
      createHash,
      log: () => {},
    });
    await expect(fileStore.keep(source('x'), 10)).rejects.toThrow(words);
  });

  test('cancels the source if the storage fails, also while a chunk is awaited', async () => {
    const blobs = createMemoryBlobs();
    blobs.put = async () => {
      throw new Error('EROFS');
    };
    const fileStore = createFileStore(blobs, {
      cache: createMemoryCache(Date.now),
      createHash,
      log: () => {},
    });
    let left = false;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new Uint8Array(5000)),
      cancel: () => {
        left = true;
      },
    });
    await expect(fileStore.keep({ ...source(''), body }, 1e6)).rejects.toThrow('could not be stored');
    expect(left).toBe(true);
  });

  test('a wrong cache entry does not lead to another file', async () => {
    const blobs = createMemoryBlobs();
    const cache = createMemoryCache(Date.now);
    const fileStore = createFileStore(blobs, { cache, createHash, log: () => {} });
    const hash = createHash();
    await hash.update(new TextEncoder().encode('x'));
    for (const lie of ['../../etc', 'f'.repeat(32), 5, null]) {
      await cache.set(['stored', 'media', await hash.hex()], lie, 100);
      const kept = await fileStore.keep(source('x'), 10);
      expect(blobs.entries.has(`media/${kept.id}`)).toBe(true);
    }
  });
});

test.each([
  ['0123456789abcdef0123456789abcdef.png', true],
  ['0123456789abcdef0123456789abcdef-a b.csv', true],
  ['0123456789abcdef0123456789abcdef', true],
  ['0123456789abcdef0123456789abcdefa.png', false],
  ['0123456789ABCDEF0123456789ABCDEF.png', false],
  ['../0123456789abcdef0123456789abcdef', false],
  ['', false],
])('the id in %j', (name, known) => {
  expect(idIn(name)).toBe(known ? '0123456789abcdef0123456789abcdef' : null);
});
