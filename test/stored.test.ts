import { mkdtempSync, readdirSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { picture } from '../src/emulator/png.ts';
import { type Emulated, startEmulator } from './emulated.ts';
import { type Running, startOnNode } from './gateways.ts';

/** Pictures and files of responses on Node. `src/platform/workers/pictures.test.ts` has the same in workerd, with R2. */
let web: Emulated;
let gateway: Running;
const dataDir = mkdtempSync(join(tmpdir(), 'sluice-stored-'));
const env = () => ({
  BASE_URL: web.url,
  PROXY_API_PREFIX: 'emulator-web',
  DATA_DIR: dataDir,
  API_PREFIX: '',
});

beforeAll(async () => {
  web = await startEmulator();
  gateway = await startOnNode(env());
});
afterAll(async () => {
  await gateway.stop();
  web.stop();
});

async function ask(content: string, url = gateway.url): Promise<string> {
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'fk-caller', maxRetries: 0 });
  const answer = await client.chat.completions.create({
    model: 'gpt-4',
    messages: [{ role: 'user', content }],
  });
  return answer.choices[0]?.message.content ?? '';
}

const linksIn = (text: string) => [...text.matchAll(/\]\((http[^)]+)\)/g)].map(([, link]) => link ?? '');

describe('pictures of an answer', () => {
  test('ten of them: ten links, each with its own bytes, also after a restart', async () => {
    const links = linksIn(await ask('/draw 10'));
    expect(new Set(links).size).toBe(10);
    const look = async () => {
      for (const [i, link] of links.entries()) {
        const answer = await fetch(link, { headers: { connection: 'close' } });
        expect(answer.headers.get('content-type')).toBe('image/png');
        expect(new Uint8Array(await answer.arrayBuffer())).toEqual(picture(`file-drawn${i}.png`));
      }
    };
    await look();
    const port = new URL(gateway.url).port;
    await gateway.stop();
    gateway = await startOnNode({ ...env(), PORT: port });
    await look();
  });

  test('an equal picture gets the same link and is stored once', async () => {
    const [one] = linksIn(await ask('/draw 1'));
    const files = () =>
      readdirSync(join(dataDir, 'blobs'), { recursive: true, withFileTypes: true }).filter((entry) =>
        entry.isFile(),
      ).length;
    const before = files();
    const [two] = linksIn(await ask('/draw 1'));
    expect(two).toBe(one);
    expect(files()).toBe(before);
  });

  test.each(['/plot', '/later', '/v1 /draw 2'])('%s gives links that work', async (content) => {
    const links = linksIn(await ask(content));
    expect(links.length).toBeGreaterThan(0);
    for (const link of links) {
      expect(link).toMatch(new RegExp(`^${gateway.url}/images/[0-9a-f]{32}\\.png$`));
      expect((await fetch(link)).status).toBe(200);
    }
  });

  test('files of the sandbox are downloads under their own name', async () => {
    const [link = ''] = linksIn(await ask('/code'));
    const answer = await fetch(link);
    expect(await answer.text()).toBe('a,b\n1,2\n');
    expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(answer.headers.get('content-disposition')).toBe('attachment; filename="result_(1).csv"');
  });

  test('links begin with the configured address, else with the one the caller used', async () => {
    const known = await startOnNode({ ...env(), PUBLIC_URL: 'https://ai.example/gate/' });
    const prefixed = await startOnNode({ ...env(), API_PREFIX: 'secret' });
    const r2 = await startOnNode({ ...env(), R2_DOMAIN: 'pics.example' });
    const upstream = await startOnNode({ ...env(), UPSTREAM_LINKS: 'true' });
    expect(await ask('/draw', known.url)).toMatch(
      /\(https:\/\/ai\.example\/gate\/images\/[0-9a-f]{32}\.png\)/,
    );
    expect(await ask('/draw', r2.url)).toMatch(/\(https:\/\/pics\.example\/media\/[0-9a-f]{32}\)/);
    expect(await ask('/draw', upstream.url)).toContain(`${web.url}/emulator/files/file-drawn0.png`);
    const [link = ''] = linksIn(await ask('/draw', `${prefixed.url}/secret`));
    expect((await fetch(link)).status).toBe(200);
    expect((await fetch(link.replace('/images/', '/secret/images/'))).status).toBe(200);
    const forwarded = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: {
        authorization: 'Bearer k',
        'content-type': 'application/json',
        'x-forwarded-proto': 'https',
        'x-forwarded-host': 'chat.example',
      },
      body: JSON.stringify({ model: 'gpt-4', messages: [{ role: 'user', content: '/draw' }] }),
    });
    expect(await forwarded.text()).toContain('(https://chat.example/images/');
    await Promise.all([known, prefixed, r2, upstream].map((each) => each.stop()));
  });
});

describe('a stored picture', () => {
  let link: string;
  beforeAll(async () => {
    link = linksIn(await ask('/draw'))[0] ?? '';
  });
  const bytes = picture('file-drawn0.png');

  test('may be shown by any page, is cached for a year, and never runs as a page', async () => {
    const answer = await fetch(link, { headers: { origin: 'https://anywhere.example' } });
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'image/png',
      'content-length': String(bytes.length),
      'cache-control': 'public, max-age=31536000, immutable',
      'access-control-allow-origin': '*',
      'cross-origin-resource-policy': 'cross-origin',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
      'accept-ranges': 'bytes',
    });
    expect(answer.headers.get('content-disposition')).toMatch(/^inline; filename="[\w.-]+\.png"$/);
    expect(answer.headers.get('x-request-id')).toBeTruthy();
  });

  test('is served to any origin and without a key, also if callers need both', async () => {
    const strict = await startOnNode({
      ...env(),
      ACCESS_KEYS: 'access-key-0123456789',
      ALLOWED_ORIGINS: 'https://one.example',
    });
    const answer = await fetch(link.replace(gateway.url, strict.url), {
      headers: { origin: 'https://two.example' },
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    await strict.stop();
  });

  test.each([
    ['bytes=0-9', 206, [0, 10]],
    ['bytes=10-', 206, [10, bytes.length]],
    ['bytes=-5', 206, [bytes.length - 5, bytes.length]],
    ['bytes=5-99999999', 206, [5, bytes.length]],
    ['bytes=0-0', 206, [0, 1]],
    ['bytes=99999999-', 416, null],
    ['bytes=-0', 416, null],
    ['bytes=9-5', 200, [0, bytes.length]],
    ['bytes=0-1,3-4', 200, [0, bytes.length]],
    ['lines=0-1', 200, [0, bytes.length]],
    ['bytes=a-b', 200, [0, bytes.length]],
  ])('in part: %s', async (range, status, span) => {
    const answer = await fetch(link, { headers: { range } });
    expect(answer.status).toBe(status);
    if (span) {
      expect(new Uint8Array(await answer.arrayBuffer())).toEqual(bytes.subarray(span[0], span[1]));
      if (status === 206)
        expect(answer.headers.get('content-range')).toBe(
          `bytes ${span[0]}-${(span[1] ?? 0) - 1}/${bytes.length}`,
        );
    } else expect(answer.headers.get('content-range')).toBe(`bytes */${bytes.length}`);
  });

  test('is not sent again to a client that has it', async () => {
    const etag = (await fetch(link)).headers.get('etag') ?? '';
    for (const value of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const answer = await fetch(link, { headers: { 'if-none-match': value } });
      expect(answer.status).toBe(304);
      expect(await answer.text()).toBe('');
      expect(answer.headers.get('etag')).toBe(etag);
    }
    expect((await fetch(link, { headers: { 'if-none-match': '"other"' } })).status).toBe(200);
    expect((await fetch(link, { headers: { range: 'bytes=0-1', 'if-range': etag } })).status).toBe(206);
    expect((await fetch(link, { headers: { range: 'bytes=0-1', 'if-range': '"other"' } })).status).toBe(200);
  });

  test('HEAD has the headers of GET', async () => {
    const answer = await fetch(link, { method: 'HEAD' });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-length')).toBe(String(bytes.length));
    expect(await answer.text()).toBe('');
  });

  test('cannot be changed', async () => {
    for (const method of ['PUT', 'DELETE', 'PATCH']) {
      const answer = await fetch(link, { method, headers: { authorization: 'Bearer k' } });
      expect(answer.status).toBeGreaterThanOrEqual(400);
    }
    expect((await fetch(link)).status).toBe(200);
  });
});

const id = '0123456789abcdef0123456789abcdef';
test.each([
  `/images/${id}.png`,
  '/images/x.png',
  '/files/..%2f..%2fcache.sqlite',
  '/files/%2e%2e%2f%2e%2e%2fcache.sqlite',
  '/images/..%2F..%2Fetc%2Fpasswd',
  `/files/${id}%2f..%2f..%2f..%2fcache.sqlite`,
  `/files/${id}-..%2f..%2fx`,
  '/files/%252e%252e%252fx',
  '/files/..;%2fx',
  '/images/con',
  '/images/nul.png',
  '/files/COM1',
  '/files/lpt1.txt',
  `/files/${'a'.repeat(4096)}`,
  `/images/${id}${'a'.repeat(4096)}.png`,
  '/files/%ff%fe',
  '/files/%E0%80%AF',
  '/files/.',
  `/files/${id.toUpperCase()}`,
  '/images/media%2f',
  `/files/${id}.json`,
  '/files/uploads%2fx%2fy',
])('%s leads nowhere', async (path) => {
  // Not with `fetch`, which normalizes the path.
  const status = await new Promise<{ code: number | undefined; body: string }>((resolve, reject) => {
    request({ host: '127.0.0.1', port: new URL(gateway.url).port, path }, (response) => {
      let body = '';
      response.on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () => resolve({ code: response.statusCode, body }));
    })
      .on('error', reject)
      .end();
  });
  expect([400, 404]).toContain(status.code);
  expect(JSON.parse(status.body)).toHaveProperty('error.message');
});

test.each(['/files/%00', '/images/a%00.png', '/files/%5c..%5cx', '/images/../../etc/passwd', '/files/a%0ab'])(
  '%s is refused',
  async (path) => {
    const code = await new Promise<number | undefined>((resolve, reject) => {
      request({ host: '127.0.0.1', port: new URL(gateway.url).port, path }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end();
    });
    expect(code).toBe(400);
  },
);
