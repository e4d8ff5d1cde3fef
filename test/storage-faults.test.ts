import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Emulated, startEmulator } from './emulated.ts';
import { startOnNode } from './gateways.ts';
import { startProcess } from './process.ts';
import { startRedis } from './redis.ts';

let web: Emulated;
beforeAll(async () => {
  web = await startEmulator();
});
afterAll(() => web.stop());

const temporary = () => mkdtempSync(join(tmpdir(), 'sluice-faults-'));
const env = (dataDir: string) => ({ BASE_URL: web.url, PROXY_API_PREFIX: 'emulator-web', DATA_DIR: dataDir });

async function ask(url: string, content = '/draw 2'): Promise<string> {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer k', 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4', messages: [{ role: 'user', content }] }),
  });
  expect(answer.status).toBe(200);
  const { choices } = (await answer.json()) as { choices: { message: { content: string } }[] };
  return choices[0]?.message.content ?? '';
}

describe('a process that is killed in the middle of storing', () => {
  /** An upstream whose pictures come slowly: 2 MB in twenty pieces. */
  let slow: Server;
  let at: string;
  const piece = Buffer.alloc(100_000, 7);
  beforeAll(async () => {
    slow = createServer((request, response) => {
      if (request.url?.startsWith('/picture')) {
        response.writeHead(200, { 'content-type': 'image/png' });
        response.write(Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82]));
        let sent = 0;
        const timer = setInterval(() => {
          if (sent++ < 20) response.write(piece);
          else {
            clearInterval(timer);
            response.end();
          }
        }, 5);
        response.on('close', () => clearInterval(timer));
      } else if (request.url?.endsWith('/download')) {
        response.end(JSON.stringify({ status: 'success', download_url: `${at}/picture` }));
      } else {
        void fetch(`${web.url}/emulator-web/backend-api/conversation`, {
          method: 'POST',
          headers: { authorization: 'Bearer k' },
          body: JSON.stringify({ model: 'gpt-4', messages: [{ content: { parts: ['/draw 4'] } }] }),
        }).then(async (answer) =>
          response.writeHead(200, { 'content-type': 'text/event-stream' }).end(await answer.text()),
        );
      }
    });
    await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
    at = `http://127.0.0.1:${(slow.address() as AddressInfo).port}`;
  });
  afterAll(() => slow.close().closeAllConnections());

  test('leaves only whole files', { timeout: 60_000 }, async () => {
    const dataDir = temporary();
    for (const delay of [20, 60, 100, 130, 160]) {
      const gateway = await startProcess({ BASE_URL: at, DATA_DIR: dataDir, LOG_LEVEL: 'error' });
      const asked = ask(gateway.url).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, delay));
      gateway.child.kill('SIGKILL');
      await gateway.exited;
      await asked;
    }
    const gateway = await startOnNode({ BASE_URL: at, DATA_DIR: dataDir });
    const root = join(dataDir, 'blobs', 'media');
    const names = existsSync(root) ? readdirSync(root, { recursive: true, encoding: 'utf8' }) : [];
    const ids = names
      .map((name) => name.split('/').at(-1) ?? '')
      .filter((name) => /^[0-9a-f]{32}$/.test(name));
    for (const id of ids) {
      const answer = await fetch(`${gateway.url}/images/${id}.png`);
      // What is there is whole.
      if (answer.status === 200) expect((await answer.arrayBuffer()).byteLength).toBe(2_000_016);
      else expect(answer.status).toBe(404);
    }
    const text = await ask(gateway.url);
    const [link = ''] = [...text.matchAll(/\((http[^)]+)\)/g)].map(([, each]) => each ?? '');
    expect((await (await fetch(link)).arrayBuffer()).byteLength).toBe(2_000_016);
    await gateway.stop();
  });
});

/** Writes until nothing more fits. */
function fillUp(path: string): void {
  for (let size = 64 * 1024; size >= 512; size /= 2) {
    try {
      for (;;) appendFileSync(path, Buffer.alloc(size));
    } catch {
      // Smaller pieces may still fit.
    }
  }
}

describe('storage that cannot be used', () => {
  /** The answer links the upstream's own copy, and says so. */
  const linksUpstream = async (text: string) => {
    expect(text).toContain('Here you are.');
    expect(text).toContain('> Note: the gateway could not store it, so this link works for a short time');
    const [, link = ''] = /!\[[^\]]*\]\((http[^)]+)\)/.exec(text) ?? [];
    expect(link).toContain(web.url);
    expect((await fetch(link)).headers.get('content-type')).toBe('image/png');
  };

  test("a file in place of the folder: the upstream's link is handed out", async () => {
    const dataDir = join(temporary(), 'file');
    writeFileSync(dataDir, 'not a folder');
    const gateway = await startOnNode(env(dataDir));
    await linksUpstream(await ask(gateway.url));
    const image = await fetch(`${gateway.url}/v1/images/generations`, {
      method: 'POST',
      headers: { authorization: 'Bearer k', 'content-type': 'application/json' },
      body: JSON.stringify({ prompt: '/draw' }),
    });
    expect(image.status).toBe(200);
    const { data } = (await image.json()) as { data: { url: string }[] };
    expect(data[0]?.url).toContain(web.url);
    await gateway.stop();
  });

  test("no right to write: the upstream's link is handed out", async () => {
    const dataDir = join(temporary(), 'locked');
    mkdirSync(dataDir);
    chmodSync(dataDir, 0o555);
    // Root may write everywhere, so the gateway runs as another user.
    const asNobody = process.getuid?.() === 0;
    if (asNobody) execFileSync('chmod', ['o+rx', join(dataDir, '..')]);
    const gateway = asNobody
      ? await startProcess({ ...env(dataDir), LOG_LEVEL: 'error' }, ['test/as-nobody.ts'])
      : null;
    const own = gateway ? null : await startOnNode(env(dataDir));
    await linksUpstream(await ask(gateway?.url ?? own?.url ?? ''));
    gateway?.child.kill();
    await own?.stop();
  });

  test("a full disk: the upstream's link is handed out, and stored pictures are still served", async ({
    skip,
  }) => {
    const dataDir = temporary();
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', dataDir]).status === 0;
    if (!mounted) return skip('a small disk can only be mounted by root');
    try {
      const gateway = await startOnNode(env(dataDir));
      const [, link = ''] = /\((http[^)]+)\)/.exec(await ask(gateway.url, '/draw 1')) ?? [];
      fillUp(join(dataDir, 'ballast'));
      const text = await ask(gateway.url, '/draw 10');
      await linksUpstream(text);
      expect((await fetch(link)).status).toBe(200);
      await gateway.stop();
    } finally {
      spawnSync('umount', ['-l', dataDir]);
    }
  });
});

describe('a cache that cannot be used', { timeout: 60_000 }, () => {
  const link = /\(http[^)]+\/images\/[0-9a-f]{32}\.png\)/;

  test('a Redis that is down costs one failed connection, not one for each chat', async () => {
    const gateway = await startOnNode({ ...env(temporary()), REDIS_URL: 'redis://127.0.0.1:9' });
    const began = performance.now();
    for (let i = 0; i < 5; i++) expect(await ask(gateway.url, '/draw 1')).toMatch(link);
    // Before, each of them took 4 s.
    expect(performance.now() - began).toBeLessThan(15_000);
    await gateway.stop();
  });

  test('a Redis that never answers does not stop a chat or an upload', async () => {
    const redis = await startRedis();
    if (!redis) throw new Error('there is no redis-server here: install it');
    const gateway = await startOnNode({ ...env(temporary()), REDIS_URL: redis.url });
    expect(await ask(gateway.url, '/draw 1')).toMatch(link);
    redis.pause();
    expect(await ask(gateway.url, '/draw 2')).toMatch(link);
    const form = new FormData();
    form.set('file', new Blob(['hello']), 'a.txt');
    const upload = await fetch(`${gateway.url}/v1/files`, {
      method: 'POST',
      headers: { authorization: 'Bearer k' },
      body: form,
    });
    expect(upload.status).toBe(200);
    redis.resume();
    await gateway.stop();
    await redis.stop();
  });

  test('a locked cache.sqlite does not hold up the process', async () => {
    const dataDir = temporary();
    const gateway = await startOnNode(env(dataDir));
    expect(await ask(gateway.url, '/draw 1')).toMatch(link);
    const other = new DatabaseSync(join(dataDir, 'cache.sqlite'));
    other.exec('BEGIN IMMEDIATE');
    const began = performance.now();
    expect(await ask(gateway.url, '/draw 10')).toMatch(link);
    // Before, each write stopped the event loop for 2 s.
    expect(performance.now() - began).toBeLessThan(10_000);
    other.exec('ROLLBACK');
    other.close();
    await gateway.stop();
  });

  test('a cache.sqlite that is locked at the start is used again afterwards', async () => {
    const dataDir = temporary();
    const path = join(dataDir, 'cache.sqlite');
    const other = new DatabaseSync(path);
    other.exec('BEGIN EXCLUSIVE');
    const gateway = await startOnNode(env(dataDir));
    expect(await ask(gateway.url, '/draw 1')).toMatch(link);
    other.exec('ROLLBACK');
    other.close();
    let pictures = 1;
    const entries = async (): Promise<number> => {
      // One new picture each time: known ones are in memory and are not written again.
      await ask(gateway.url, `/draw ${++pictures}`);
      const reader = new DatabaseSync(path, { readOnly: true });
      try {
        return Number(reader.prepare('SELECT count(*) AS n FROM entries').get()?.n);
      } finally {
        reader.close();
      }
    };
    await expect.poll(() => entries().catch(() => 0), { timeout: 30_000, interval: 2000 }).toBeGreaterThan(0);
    await gateway.stop();
  });
});

describe('an S3 store that does not work', { timeout: 60_000 }, () => {
  const startWith = async (handle: RequestListener) => {
    const store = createServer(handle);
    await new Promise<void>((resolve) => store.listen(0, '127.0.0.1', resolve));
    const gateway = await startOnNode({
      ...env(temporary()),
      S3_ENDPOINT: `http://127.0.0.1:${(store.address() as AddressInfo).port}`,
      S3_BUCKET: 'blobs',
      S3_ACCESS_KEY_ID: 'id',
      S3_SECRET_ACCESS_KEY: 'secret',
    });
    const stop = async (): Promise<void> => {
      await gateway.stop();
      store.close().closeAllConnections();
    };
    return { url: gateway.url, stop };
  };
  const path = `/images/${'0'.repeat(32)}.png`;

  test("one that never answers: the upstream's link is handed out, a stored picture is a 503", async () => {
    const { url, stop } = await startWith(() => {});
    const [text, picture] = await Promise.all([ask(url), fetch(url + path)]);
    expect(text).toContain('> Note: the gateway could not store it');
    expect(text).toContain(`(${web.url}/`);
    expect(picture.status).toBe(503);
    expect(picture.headers.get('retry-after')).toBe('5');
    await stop();
  });

  test('one that answers 500 or 503: a stored picture is a 503, not a 500', async () => {
    for (const status of [500, 503]) {
      const { url, stop } = await startWith((_, response) => response.writeHead(status).end());
      for (const init of [{}, { method: 'HEAD' }, { headers: { range: 'bytes=0-1' } }]) {
        const response = await fetch(url + path, init);
        expect(response.status).toBe(503);
        expect(response.headers.get('retry-after')).toBe('5');
      }
      await stop();
    }
  });
});

test('ten pictures of 100 MB at once end at the limit, and memory stays flat', {
  timeout: 60_000,
}, async () => {
  const chunk = Buffer.alloc(256 * 1024, 1);
  let total = 0;
  const shelf = createServer((_, response) => {
    let sent = 0;
    response.write(Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]));
    const more = (): void => {
      while (sent++ < 400) {
        total += chunk.length;
        if (!response.write(chunk)) return void response.once('drain', more);
      }
      response.end();
    };
    more();
  });
  await new Promise<void>((resolve) => shelf.listen(0, '127.0.0.1', resolve));
  const { port } = shelf.address() as AddressInfo;
  const gateway = await startProcess({
    ...env(temporary()),
    FILE_FETCH_ALLOW: `127.0.0.1:${port}`,
    MAX_FILE_BYTES: '1MiB',
    LOG_LEVEL: 'error',
  });
  const send = async () => {
    const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: 'Bearer k', 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'gpt-4',
        messages: [
          {
            role: 'user',
            content: [{ type: 'image_url', image_url: { url: `http://127.0.0.1:${port}/a` } }],
          },
        ],
      }),
    });
    return answer.status;
  };
  for (let round = 0; round < 3; round++)
    expect(new Set(await Promise.all(Array.from({ length: 10 }, send)))).toEqual(new Set([413]));
  // The limit is 1 MB. The kernel's buffers for each connection take some more.
  expect(total / 30).toBeLessThan(20e6);
  gateway.child.kill();
  shelf.close().closeAllConnections();
});
