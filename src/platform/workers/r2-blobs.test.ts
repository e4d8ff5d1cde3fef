import { env } from 'cloudflare:workers';
import { describe, expect, test } from 'vitest';
import { describeBlobs } from '../../../test/contract/blobs.ts';
import { createR2Blobs, type R2Bucket } from './r2-blobs.ts';

const bucket = env.BLOBS as R2Bucket;

describeBlobs('R2', async () => createR2Blobs(bucket));

test('lists the facts of a folder without a call for each blob', async () => {
  const blobs = createR2Blobs(bucket);
  const facts = { type: 'text/plain', fileName: 'ein Bericht.txt' };
  const body = async function* () {
    yield new Uint8Array(3);
  };
  await blobs.put('uploads/facts/1', body(), facts);
  const listed = [];
  for await (const blob of blobs.list('uploads/facts/')) listed.push(blob);
  expect(listed).toMatchObject([{ key: 'uploads/facts/1', size: 3, facts }]);
});

describe('an R2 that does not answer', () => {
  const never = new Promise<never>(() => {});
  const mute: R2Bucket = {
    head: () => never,
    get: () => never,
    put: () => never,
    createMultipartUpload: () => never,
    delete: () => never,
    list: () => never,
  };
  const blobs = createR2Blobs(mute, 0.05);
  const facts = { type: 'image/png', fileName: null };
  const chunks = async function* (count: number, size: number) {
    for (let i = 0; i < count; i++) yield new Uint8Array(size);
  };

  test('fails each call soon', async () => {
    await expect(blobs.head('a')).rejects.toThrow('in time');
    await expect(blobs.get('a')).rejects.toThrow('in time');
    await expect(blobs.put('a', chunks(1, 10), facts)).rejects.toThrow('in time');
    await expect(blobs.put('a', chunks(6, 1024 * 1024), facts)).rejects.toThrow('in time');
    await expect(blobs.delete(['a'])).rejects.toThrow('in time');
    await expect(blobs.list('')[Symbol.asyncIterator]().next()).rejects.toThrow('in time');
  });

  test('aborts an upload of which a part fails', async () => {
    let aborted = 0;
    const upload = {
      uploadPart: (number: number) =>
        number === 2 ? Promise.reject(new Error('part')) : Promise.resolve({}),
      complete: async () => {},
      abort: async () => void aborted++,
    };
    const failing = createR2Blobs({ ...mute, createMultipartUpload: async () => upload }, 1);
    await expect(failing.put('a', chunks(12, 1024 * 1024), facts)).rejects.toThrow('part');
    expect(aborted).toBe(1);
  });
});
