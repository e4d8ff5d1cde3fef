import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Emulated, startEmulator } from './emulated.ts';
import { type Running, runtimes } from './gateways.ts';

let web: Emulated;
beforeAll(async () => {
  web = await startEmulator();
});
afterAll(() => web.stop());

const bodyLength = 100_000;

/** A request that promises a body, sends part of it and stops. */
function stall(url: string, path: string, sent: number, headers: Readonly<Record<string, string>>) {
  const { host, hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let text = '';
  const status = new Promise<number>((resolve) => {
    socket.on('data', (chunk) => {
      text += chunk;
      const [, code] = /^HTTP\/1\.1 (\d+)/.exec(text) ?? [];
      if (code !== undefined && text.includes('\r\n\r\n')) resolve(Number(code));
    });
    socket.on('error', () => resolve(0));
    socket.on('close', () => resolve(0));
  });
  const lines = Object.entries({
    host,
    'content-type': 'application/json',
    'content-length': String(bodyLength),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n${' '.repeat(sent)}`);
  return { status, close: () => socket.destroy() };
}

const soon = (status: Promise<number>) =>
  Promise.race([status, new Promise<string>((resolve) => setTimeout(() => resolve('no answer yet'), 1000))]);

describe.each(runtimes)('bodies that are read, on $name', ({ start }) => {
  let gateway: Running;
  beforeAll(async () => {
    gateway = await start({
      BASE_URL: web.url,
      PROXY_API_PREFIX: 'emulator-web',
      MAX_BODY_BYTES: '100000',
      MAX_HELD_BYTES: '240000',
    });
  });
  afterAll(() => gateway.stop());

  const chat = '/v1/chat/completions';
  const ask = (key: string, padding: number) =>
    fetch(gateway.url + chat, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-4', messages: [{ role: 'user', content: 'hi' }] }).padEnd(padding),
    });

  test.each([
    [chat, 'application/json'],
    ['/', 'application/json'],
    ['/v1/images/generations', 'application/json'],
    ['/v1/images/edits', 'multipart/form-data; boundary=b'],
    ['/v1/files', 'multipart/form-data; boundary=b'],
  ])('POST %s without a key is a 401 before its body is read', async (path, type) => {
    const request = stall(gateway.url, path, 10, { 'content-type': type });
    expect(await soon(request.status)).toBe(401);
    request.close();
  });

  test('stalled bodies of one caller, and of all, are limited and given back', async () => {
    const authorization = (key: string) => ({ authorization: `Bearer ${key}` });
    const first = stall(gateway.url, chat, 90_000, authorization('a'));
    expect(await soon(first.status)).toBe('no answer yet');
    expect((await ask('a', 60_000)).status).toBe(429);
    expect((await ask('b', 60_000)).status).toBe(200);
    const second = stall(gateway.url, chat, 90_000, authorization('b'));
    expect(await soon(second.status)).toBe('no answer yet');
    expect((await ask('b', 60_000)).status).toBe(429);
    const refused = await ask('c', 90_000);
    expect(refused.status).toBe(503);
    expect(await refused.text()).toContain('MAX_HELD_BYTES');
    expect((await ask('c', 1000)).status).toBe(200);
    first.close();
    second.close();
    await expect.poll(async () => (await ask('a', 90_000)).status, { timeout: 10_000 }).toBe(200);
    expect((await ask('c', 90_000)).status).toBe(200);
  });

  test('ten requests that ended hold nothing', async () => {
    for (let i = 0; i < 10; i++) {
      const response = await ask('d', 60_000);
      expect(response.status).toBe(200);
      await response.text();
    }
  });
});
