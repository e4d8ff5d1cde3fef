import { expect, test } from 'vitest';
import { createFileStore } from '../../files/file-store.ts';
import { createMemoryCache } from '../../platform/memory/cache.ts';
import type { Blobs } from '../../ports/blobs.ts';
import type { Ports } from '../../ports/ports.ts';
import type { Client } from './client.ts';
import { createPublisher } from './publish.ts';

const png = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82, 0]);
const asset = { from: 'file', id: 'file-1', pointer: 'file-service://file-1' } as const;
const url = 'https://files.upstream.example/1.png';

type Setup = {
  /** Answers the request for the asset without the key. */
  readonly respond?: () => Response;
  /** Answers it with the key. */
  readonly respondOwn?: () => Response;
  readonly failing?: Error;
};

/** A publisher whose storage is in memory, or fails. */
function publishing({ respond = () => new Response(png), respondOwn, failing }: Setup = {}) {
  const stored: string[] = [];
  const callers: unknown[] = [];
  const blobs = {
    async put(key: string, body: AsyncIterable<Uint8Array>) {
      for await (const _ of body) if (failing) throw failing;
      stored.push(key);
    },
    head: async () => null,
    delete: async () => {},
  } as unknown as Blobs;
  const ports = {
    log: () => {},
    cache: createMemoryCache(Date.now, 1_000_000),
    createHash: () => ({ update: async () => {}, hex: async () => 'ab'.repeat(32) }),
    http: { fetchPublic: async () => respond() },
    tasks: {
      limitMemory: (work: () => Promise<unknown>, caller?: string) => {
        callers.push(caller);
        return work();
      },
    },
  } as unknown as Ports;
  const client = {
    locateFile: async () => ({ url, name: '1.png' }),
    openOwn: async () => respondOwn?.() ?? null,
  } as unknown as Client;
  const publisher = createPublisher(client, {
    ...{ ports, fileStore: createFileStore(blobs, ports), stem: 'https://gate.example', caller: 'hash' },
    ...{ r2Domain: undefined, allow: new Set<string>(), maxBytes: 1000, idleSeconds: 1 },
  });
  return { publish: (kind: 'image' | 'file') => publisher.publish(asset, kind, 'c'), stored, callers };
}

test('a picture is stored and linked, and counts for its caller', async () => {
  const { publish, stored, callers } = publishing();
  expect(await publish('image')).toEqual({
    url: expect.stringMatching(/^https:\/\/gate\.example\/images\/[0-9a-f]{32}\.png$/),
  });
  expect(stored).toHaveLength(1);
  expect(callers).toEqual(['hash']);
});

test('a page that claims to be a picture is not stored', async () => {
  const respond = () =>
    new Response('<!doctype html><script>1</script>', { headers: { 'content-type': 'image/png' } });
  const { publish, stored } = publishing({ respond });
  await expect(publish('image')).rejects.toThrow('it is not a picture, but text/plain');
  expect(stored).toEqual([]);
});

test('a file may be a page', async () => {
  const respond = () => new Response('<html>', { headers: { 'content-type': 'text/html' } });
  const { publish, stored } = publishing({ respond });
  expect(await publish('file')).toEqual({ url: expect.stringContaining('/files/') });
  expect(stored).toHaveLength(1);
});

test.each([
  ['fails', new Error('EIO')],
  ['is full', Object.assign(new Error('full'), { code: 'ENOSPC' })],
])("if the storage %s, the upstream's link is handed out", async (_, failing) => {
  expect(await publishing({ failing }).publish('image')).toEqual({ url, isShortLived: true });
});

test("if the storage fails, an upstream's link that opens with the key only is not handed out", async () => {
  const respond = () => new Response('', { status: 401 });
  const { publish } = publishing({ respond, respondOwn: () => new Response(png), failing: new Error('EIO') });
  await expect(publish('image')).rejects.toThrow('it could not be stored');
});

test('a picture that is too large for the storage is an error, not a link', async () => {
  const { publish } = publishing({ respond: () => new Response(new Uint8Array(2000)) });
  await expect(publish('file')).rejects.toThrow('larger than');
});
