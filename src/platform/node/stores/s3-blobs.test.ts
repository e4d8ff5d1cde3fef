import { mkdtempSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import S3rver from 's3rver';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeBlobs } from '../../../../test/contract/blobs.ts';
import { createS3Blobs } from './s3-blobs.ts';
import type { S3Settings } from './s3-client.ts';

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

/** A store that answers as a test says, and counts what it was asked. */
async function scripted(
  handle: (request: IncomingMessage, response: ServerResponse, count: number) => void,
): Promise<{ settings: S3Settings; requests: string[]; stop(): void }> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    request.resume();
    requests.push(`${request.method} ${new URL(request.url ?? '', 'http://s3').pathname}`);
    handle(request, response, requests.length);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    settings: { ...settings, endpoint: `http://127.0.0.1:${port}` },
    requests,
    stop: () => void server.close().closeAllConnections(),
  };
}

const limits = { silenceSeconds: 0.3, attempts: 3, pauseMs: 1 };

async function* chunks(count: number, size: number) {
  for (let i = 0; i < count; i++) yield new Uint8Array(size);
}

describe('a store that does not work', () => {
  test('one that never answers fails each call, and gets no second request', async () => {
    const store = await scripted(() => {});
    const blobs = createS3Blobs(store.settings, limits);
    const facts = { type: 'image/png', fileName: null };
    await expect(blobs.put('media/a1', chunks(1, 10), facts)).rejects.toThrow('silent');
    await expect(blobs.head('media/a1')).rejects.toThrow('silent');
    await expect(blobs.get('media/a1')).rejects.toThrow('silent');
    await expect(blobs.delete(['media/a1'])).rejects.toThrow('silent');
    await expect(blobs.list('')[Symbol.asyncIterator]().next()).rejects.toThrow('silent');
    expect(store.requests).toHaveLength(5);
    store.stop();
  });

  test('one that stops in the middle of a blob breaks the body', async () => {
    const store = await scripted((_, response) => {
      response.writeHead(200, { 'content-length': '100', 'last-modified': new Date().toUTCString() });
      response.write('half');
    });
    const found = await createS3Blobs(store.settings, limits).get('media/a1');
    await expect(new Response(found?.body).text()).rejects.toThrow('no data for');
    store.stop();
  });

  test.each([503, 500, 429])('%i is tried again', async (status) => {
    const store = await scripted((_, response, count) =>
      response.writeHead(count < 3 ? status : 200, { 'content-length': '0' }).end(),
    );
    expect(await createS3Blobs(store.settings, limits).head('media/a1')).toMatchObject({ size: 0 });
    expect(store.requests).toHaveLength(3);
    store.stop();
  });

  test('503 SlowDown again and again is an error that names it', async () => {
    const store = await scripted((_, response) =>
      response.writeHead(503).end('<Error><Code>SlowDown</Code><Message>x</Message></Error>'),
    );
    await expect(createS3Blobs(store.settings, limits).get('media/a1')).rejects.toThrow('503 SlowDown');
    expect(store.requests).toHaveLength(3);
    store.stop();
  });

  test('403 is not tried again', async () => {
    const store = await scripted((_, response) => response.writeHead(403).end());
    await expect(createS3Blobs(store.settings, limits).head('media/a1')).rejects.toThrow('403');
    expect(store.requests).toHaveLength(1);
    store.stop();
  });

  test('an upload of which a part fails is aborted, and the source is left', async () => {
    let deleted = 0;
    const store = await scripted((request, response) => {
      const { searchParams } = new URL(request.url ?? '', 'http://s3');
      if (request.method === 'POST') response.end('<x><UploadId>u</UploadId></x>');
      else if (request.method === 'DELETE') response.writeHead(204).end(void deleted++);
      else response.writeHead(searchParams.get('partNumber') === '2' ? 403 : 200, { etag: '"e"' }).end();
    });
    let left = false;
    const source = async function* () {
      try {
        yield* chunks(100, 1024 * 1024);
      } finally {
        left = true;
      }
    };
    const put = createS3Blobs(store.settings, limits).put('media/a1', source(), {
      type: 'image/png',
      fileName: null,
    });
    await expect(put).rejects.toThrow('403');
    expect(deleted).toBe(1);
    expect(left).toBe(true);
    store.stop();
  });
});
