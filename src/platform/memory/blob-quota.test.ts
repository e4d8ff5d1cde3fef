import { expect, test } from 'vitest';
import { describeBlobs } from '../../../test/contract/blobs.ts';
import { createMemoryBlobs } from '../../../test/memory-blobs.ts';
import { type QuotaOptions, withQuota } from './blob-quota.ts';

const facts = { type: 'image/png', fileName: null };

async function* chunks(count: number, size = 10) {
  for (let i = 0; i < count; i++) yield new Uint8Array(size);
}

function made(maxBytes: number, more: Partial<QuotaOptions> = {}) {
  const state = { now: 0, nearlyFull: 0, lists: 0 };
  const memory = createMemoryBlobs();
  const counted = {
    ...memory,
    list: (prefix: string) => {
      state.lists++;
      return memory.list(prefix);
    },
  };
  const blobs = withQuota(counted, {
    maxBytes,
    now: () => state.now,
    loadTotals: async () => null,
    onMeasured: () => {},
    onNearlyFull: () => void state.nearlyFull++,
    ...more,
  });
  return { blobs, memory, state };
}

describeBlobs('memory with a limit', async () => made(1024 ** 3).blobs);

test('refuses bytes beyond the limit while they are stored, and keeps nothing of them', async () => {
  const { blobs, memory } = made(100);
  await blobs.put('media/a', chunks(6), facts);
  await expect(blobs.put('media/b', chunks(1000), facts)).rejects.toMatchObject({
    code: 'insufficient_storage',
    status: 507,
  });
  expect([...memory.entries.keys()]).toEqual(['media/a']);
  await blobs.put('media/c', chunks(4), facts);
  await expect(blobs.put('media/d', chunks(1), facts)).rejects.toMatchObject({ status: 507 });
});

test('two at once do not pass the limit together', async () => {
  const { blobs, memory } = made(100);
  const both = [blobs.put('media/a', chunks(6), facts), blobs.put('media/b', chunks(6), facts)];
  await Promise.allSettled(both);
  const sum = [...memory.entries.values()].reduce((total, { bytes }) => total + bytes.length, 0);
  expect(sum).toBeLessThanOrEqual(100);
});

test('counts what was stored before', async () => {
  const { blobs, memory } = made(100);
  await memory.put('media/old', chunks(9), facts);
  await expect(blobs.put('media/a', chunks(2), facts)).rejects.toMatchObject({ status: 507 });
  await blobs.put('media/a', chunks(1), facts);
});

test('gives back the bytes of deleted blobs', async () => {
  const { blobs } = made(100);
  await blobs.put('media/a', chunks(10), facts);
  await blobs.delete(['media/a', 'media/none']);
  await blobs.put('media/b', chunks(10), facts);
  const many = Array.from({ length: 20 }, (_, i) => `media/${i}`);
  await blobs.delete(['media/b', ...many]);
  await blobs.put('media/c', chunks(10), facts);
});

test('uploads fill at most half of it', async () => {
  const { blobs } = made(100);
  await blobs.put('uploads/aa/1', chunks(5), facts);
  await expect(blobs.put('uploads/bb/2', chunks(1), facts)).rejects.toMatchObject({ status: 507 });
  await blobs.put('media/a', chunks(5), facts);
});

test('asks for old blobs to be deleted when it is nearly full, once a minute', async () => {
  const { blobs, state } = made(100);
  await blobs.put('media/a', chunks(9), facts);
  expect(state.nearlyFull).toBe(0);
  await blobs.put('media/b', chunks(1), facts);
  await blobs.put('media/c', chunks(1), facts).catch(() => {});
  expect(state.nearlyFull).toBe(1);
  state.now += 60_000;
  await blobs.put('media/c', chunks(1), facts).catch(() => {});
  expect(state.nearlyFull).toBe(2);
});

test('measures once, and again after ten minutes or a full list by others', async () => {
  const { blobs, memory, state } = made(100);
  for (let i = 0; i < 5; i++) await blobs.put(`media/${i}`, chunks(1), facts);
  expect(state.lists).toBe(1);
  await memory.put('media/other-process', chunks(9), facts);
  await blobs.put('media/6', chunks(1), facts);
  for await (const _ of blobs.list('')) {
    // A sweep lists everything.
  }
  await expect(blobs.put('media/7', chunks(1), facts)).rejects.toMatchObject({ status: 507 });
});

test('takes totals that another process measured, and reports its own', async () => {
  const measured: unknown[] = [];
  const { blobs, state } = made(100, {
    loadTotals: async () => ({ all: 95, uploads: 0 }),
    onMeasured: (totals) => void measured.push(totals),
  });
  await expect(blobs.put('media/a', chunks(1), facts)).rejects.toMatchObject({ status: 507 });
  expect(state.lists).toBe(0);
  for await (const _ of blobs.list('')) {
    // The cron trigger of a Worker lists everything.
  }
  expect(measured).toEqual([{ all: 0, uploads: 0 }]);
  await blobs.put('media/a', chunks(1), facts);
});

test('without a limit the store is used as it is', () => {
  const memory = createMemoryBlobs();
  expect(
    withQuota(memory, {
      maxBytes: 0,
      now: () => 0,
      loadTotals: async () => null,
      onMeasured: () => {},
      onNearlyFull: () => {},
    }),
  ).toBe(memory);
});
