import { expect, test } from 'vitest';
import { createMemoryBlobs } from '../../test/memory-blobs.ts';
import type { Tasks } from '../ports/tasks.ts';
import { cleanUp, sweep } from './retention.ts';

const hour = 3_600_000;
const now = 1_000 * hour;

async function stored(ages: readonly number[], size = 10) {
  const blobs = createMemoryBlobs();
  for (const [i, age] of ages.entries()) {
    const bytes = async function* () {
      yield new Uint8Array(size);
    };
    await blobs.put(`media/${i}`, bytes(), { type: 'text/plain', fileName: null });
    const entry = blobs.entries.get(`media/${i}`);
    if (entry) entry.storedAt = now - age * hour;
  }
  return blobs;
}

const left = (blobs: Awaited<ReturnType<typeof stored>>) => [...blobs.entries.keys()];

test('without limits everything stays', async () => {
  const blobs = await stored([0, 5000]);
  expect(await sweep(blobs, { maxAgeSeconds: 0, maxBytes: 0 }, now)).toBe(0);
  expect(left(blobs)).toHaveLength(2);
});

test('deletes what is too old', async () => {
  const blobs = await stored([0, 23, 25, 100]);
  expect(await sweep(blobs, { maxAgeSeconds: 86_400, maxBytes: 0 }, now)).toBe(2);
  expect(left(blobs)).toEqual(['media/0', 'media/1']);
});

test('then deletes the oldest until the rest is small enough, and no more', async () => {
  const blobs = await stored([4, 1, 3, 2, 5]);
  expect(await sweep(blobs, { maxAgeSeconds: 0, maxBytes: 30 }, now)).toBe(2);
  expect(left(blobs)).toEqual(['media/1', 'media/2', 'media/3']);
});

test('deletes no more of one hour than it must', async () => {
  const blobs = await stored([2, 2, 2, 2]);
  expect(await sweep(blobs, { maxAgeSeconds: 0, maxBytes: 25 }, now)).toBe(2);
  expect(left(blobs)).toHaveLength(2);
});

test('a thousand of them, in batches', async () => {
  const blobs = await stored(Array.from({ length: 1050 }, (_, i) => i));
  expect(await sweep(blobs, { maxAgeSeconds: 500 * 3600, maxBytes: 1000 }, now)).toBe(950);
  expect(left(blobs)).toHaveLength(100);
  expect(left(blobs)).toContain('media/0');
});

test('keeps 90 % of STORED_BYTES, so that there is room for new ones', async () => {
  const blobs = await stored(Array.from({ length: 10 }, (_, i) => i));
  const ports = { blobs, log: () => {}, tasks: { now: () => now } as Tasks };
  await cleanUp(ports, { storedDays: 0, storedBytes: 110 });
  expect(left(blobs)).toHaveLength(9);
});

test('asks the store to delete a thousand at once', async () => {
  const blobs = await stored(Array.from({ length: 2500 }, () => 100));
  const sizes: number[] = [];
  const counted = {
    ...blobs,
    delete: (keys: readonly string[]) => {
      sizes.push(keys.length);
      return blobs.delete(keys);
    },
  };
  expect(await sweep(counted, { maxAgeSeconds: 3600, maxBytes: 0 }, now)).toBe(2500);
  expect(sizes).toEqual([1000, 1000, 500]);
});
