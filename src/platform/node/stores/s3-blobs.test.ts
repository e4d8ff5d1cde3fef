import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import S3rver from 's3rver';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeBlobs } from '../../../../test/contract/blobs.ts';
import { createS3Blobs, type S3Settings } from './s3-blobs.ts';

let server: S3rver;
let settings: S3Settings;

beforeAll(async () => {
  server = new S3rver({
    port: 0,
    address: '127.0.0.1',
    silent: true,
    directory: mkdtempSync(join(tmpdir(), 'sluice-s3-')),
    configureBuckets: [{ name: 'blobs', configs: [] }],
  });
  const { port } = await server.run();
  settings = {
    endpoint: `http://127.0.0.1:${port}`,
    bucket: 'blobs',
    region: 'us-east-1',
    accessKey: 'S3RVER',
    secretKey: 'S3RVER',
    pathStyle: true,
  };
});
afterAll(() => server.close());

describeBlobs('an S3-compatible store', async () => createS3Blobs(settings));

test('a wrong key is an error, not a missing blob', async () => {
  const blobs = createS3Blobs({ ...settings, accessKey: 'WRONG' });
  await expect(blobs.get('media/a1')).rejects.toThrow();
});

test('a store that is not there is an error', async () => {
  const blobs = createS3Blobs({ ...settings, endpoint: 'http://127.0.0.1:9' });
  await expect(blobs.head('media/a1')).rejects.toThrow();
});
