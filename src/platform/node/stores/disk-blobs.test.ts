import { mkdtempSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { describeBlobs } from '../../../../test/contract/blobs.ts';
import { createDiskBlobs } from './disk-blobs.ts';

const folder = () => mkdtempSync(join(tmpdir(), 'sluice-blobs-'));
const filesIn = (root: string) =>
  readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());

describeBlobs('a folder', async () => createDiskBlobs(folder()));

async function* of(text: string) {
  yield new TextEncoder().encode(text);
}

test('another process reads what one stored', async () => {
  const root = folder();
  await createDiskBlobs(root).put('media/x1', of('hello'), { type: 'text/plain', fileName: 'a.txt' });
  const found = await createDiskBlobs(root).get('media/x1');
  expect(await new Response(found?.body).text()).toBe('hello');
});

test('leaves no temporary file after a success or an error', async () => {
  const root = folder();
  const blobs = createDiskBlobs(root);
  await blobs.put('media/x1', of('hello'), { type: 'text/plain', fileName: null });
  const broken = async function* () {
    yield new Uint8Array(10);
    throw new Error('broke');
  };
  await expect(blobs.put('media/x2', broken(), { type: 'text/plain', fileName: null })).rejects.toThrow();
  expect(filesIn(join(root, 'tmp'))).toEqual([]);
  expect(
    filesIn(root)
      .map(({ name }) => name)
      .sort(),
  ).toEqual(['x1', 'x1.json']);
});

test('deletes what a killed process left half-written, after an hour', async () => {
  const root = folder();
  const blobs = createDiskBlobs(root);
  await blobs.put('media/x1', of('hello'), { type: 'text/plain', fileName: null });
  const [old, young] = [join(root, 'tmp', 'old'), join(root, 'tmp', 'young')];
  for (const path of [old, young]) writeFileSync(path, 'half');
  utimesSync(old, new Date(Date.now() - 7_200_000), new Date(Date.now() - 7_200_000));
  for await (const _ of blobs.list('')) {
    // The list deletes it.
  }
  expect(readdirSync(join(root, 'tmp'))).toEqual(['young']);
});

test('a blob with broken facts is not there', async () => {
  const root = folder();
  await createDiskBlobs(root).put('media/x1', of('hello'), { type: 'text/plain', fileName: null });
  writeFileSync(join(root, 'blobs', 'media', 'x1', 'x1.json'), '{');
  expect(await createDiskBlobs(root).get('media/x1')).toBeNull();
});

test('a body that is not read to its end closes the file', async () => {
  const blobs = createDiskBlobs(folder());
  const big = async function* () {
    for (let i = 0; i < 40; i++) yield new Uint8Array(100_000);
  };
  await blobs.put('media/x1', big(), { type: 'text/plain', fileName: null });
  const open = () => readdirSync('/proc/self/fd').length;
  const before = open();
  for (let i = 0; i < 20; i++) {
    const reader = (await blobs.get('media/x1'))?.body.getReader();
    await reader?.read();
    await reader?.cancel();
  }
  expect(open()).toBeLessThanOrEqual(before + 1);
});

test('asks the disk whether a blob is there, also after it was read', async () => {
  const root = folder();
  const blobs = createDiskBlobs(root);
  await blobs.put('media/x1', of('hello'), { type: 'text/plain', fileName: null });
  await new Response((await blobs.get('media/x1'))?.body).text();
  await createDiskBlobs(root).delete(['media/x1']);
  expect(await blobs.head('media/x1')).toBeNull();
  expect(await blobs.get('media/x1')).toBeNull();
});

test('deletes facts that a killed process left without bytes, after an hour', async () => {
  const root = folder();
  const blobs = createDiskBlobs(root);
  await blobs.put('media/x1', of('hello'), { type: 'text/plain', fileName: null });
  const at = (name: string) => join(root, 'blobs', 'media', 'x1', name);
  for (const name of ['x1old.json', 'x1young.json']) writeFileSync(at(name), '{}');
  for (const name of ['x1old.json', 'x1.json', 'x1'])
    utimesSync(at(name), new Date(Date.now() - 7_200_000), new Date(Date.now() - 7_200_000));
  for await (const _ of blobs.list('')) {
    // The list deletes them.
  }
  expect(readdirSync(join(root, 'blobs', 'media', 'x1')).sort()).toEqual(['x1', 'x1.json', 'x1young.json']);
});
