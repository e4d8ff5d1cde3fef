import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createEmulator } from '../src/emulator/emulator.ts';
import { picture } from '../src/emulator/png.ts';
import { serveFetch } from '../src/platform/node/serve-fetch.ts';
import { type Running, runtimes } from './gateways.ts';

const png = picture('slow');

/** A server whose pictures never end: a byte every 100 ms. */
let slow: Server;
let slowUrl: string;
let fetched = 0;
let open = 0;
/** An upstream that refuses one key. */
let web: Server;
let webUrl: string;

const listen = (server: Server) =>
  new Promise<string>((resolve) =>
    server.listen(0, '127.0.0.1', () =>
      resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    ),
  );

beforeAll(async () => {
  slow = createServer((request, response) => {
    if (request.url === '/whole.png') return void response.end(png);
    fetched++;
    open++;
    response.writeHead(200, { 'content-type': 'image/png' }).write(png.subarray(0, 16));
    const timer = setInterval(() => response.write('x'), 100);
    response.on('close', () => {
      open--;
      clearInterval(timer);
    });
  });
  slowUrl = await listen(slow);
  const emulator = createEmulator();
  web = serveFetch((request) =>
    request.headers.get('authorization') === 'Bearer fk-junk'
      ? Promise.resolve(
          Response.json({ detail: { message: 'No such token.', code: 'invalid_jwt' } }, { status: 401 }),
        )
      : emulator.fetch(request),
  );
  webUrl = await listen(web);
});
afterAll(() => {
  for (const server of [slow, web]) {
    server.close();
    server.closeAllConnections();
  }
});
beforeEach(() => {
  fetched = 0;
});

describe.each(runtimes)('pictures that come slowly, behind a gateway on $name', ({ start }) => {
  let gateway: Running;
  beforeAll(async () => {
    gateway = await start({
      BASE_URL: webUrl,
      PROXY_API_PREFIX: 'emulator-web',
      FILE_FETCH_ALLOW: new URL(slowUrl).host,
    });
  });
  afterAll(() => gateway.stop());

  const send = (key: string, urls: readonly string[], signal: AbortSignal | null = null) =>
    fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'gpt-4',
        messages: [{ role: 'user', content: urls.map((url) => ({ type: 'image_url', image_url: { url } })) }],
      }),
      signal,
    });
  const slowUrls = () => Array.from({ length: 64 }, (_, i) => `${slowUrl}/slow/${i}.png`);

  test('nothing is fetched for a key that the upstream refuses', async () => {
    const response = await send('fk-junk', slowUrls());
    expect(response.status).toBe(401);
    expect(await response.text()).toContain('No such token.');
    expect(fetched).toBe(0);
  });

  test('a file is not stored for a key that the upstream refuses', async () => {
    const form = new FormData();
    form.set('file', new Blob(['hello']), 'a.txt');
    const response = await fetch(`${gateway.url}/v1/files`, {
      method: 'POST',
      headers: { authorization: 'Bearer fk-junk' },
      body: form,
    });
    expect(response.status).toBe(401);
    expect(await response.text()).toContain('No such token.');
  });

  test('64 slow pictures of five callers do not hold up the picture of another', {
    timeout: 60_000,
  }, async () => {
    const stop = new AbortController();
    const callers = ['a', 'b', 'c', 'd', 'e'].map((name) =>
      send(`fk-${name}`, slowUrls(), stop.signal).catch(() => {}),
    );
    await expect.poll(() => open, { timeout: 10_000 }).toBeGreaterThanOrEqual(16);
    const response = await send('fk-victim', [`${slowUrl}/whole.png`]);
    expect(response.status).toBe(200);
    // It came while the others still waited.
    expect(open).toBeGreaterThanOrEqual(16);
    stop.abort();
    await Promise.all(callers);
  });
});
