import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Emulated, startEmulator } from './emulated.ts';
import { startProcess } from './process.ts';

let backend: Emulated;
let proxyUrl: string;
const seen: string[] = [];

/** A forward proxy behind which the name backend.example is an emulator. */
const proxy = createServer((incoming, response) => {
  const url = new URL(incoming.url ?? '');
  seen.push(`${incoming.method} ${url.href}`);
  const { method, headers } = incoming;
  const { port } = new URL(backend.url);
  const onward = request(
    { host: '127.0.0.1', port, path: url.pathname + url.search, method, headers },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    },
  );
  incoming.pipe(onward);
});

beforeAll(async () => {
  backend = await startEmulator();
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  proxyUrl = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
});
afterAll(() => {
  backend.stop();
  proxy.close();
  proxy.closeAllConnections();
});

const settings = {
  BASE_URL: 'http://backend.example',
  PROXY_API_PREFIX: 'emulator-web',
  BACKEND_API_KEY: 'fk-owner-key',
};

async function ask(env: Record<string, string>): Promise<[number, string]> {
  const gateway = await startProcess({ ...settings, ...env });
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4-s', messages: [{ role: 'user', content: 'through the proxy' }] }),
  });
  const text = await response.text();
  gateway.child.kill();
  await gateway.exited;
  return [response.status, text];
}

test('a conversation goes through HTTP_PROXY, with the key of BACKEND_API_KEY', async () => {
  expect(await ask({ HTTP_PROXY: proxyUrl })).toEqual([
    200,
    expect.stringContaining('You said: through the proxy'),
  ]);
  expect(seen).toContain('POST http://backend.example/emulator-web/backend-api/conversation');
}, 60_000);

test('NO_PROXY leaves a host out, whose name does not resolve here', async () => {
  seen.length = 0;
  const [status] = await ask({ HTTP_PROXY: proxyUrl, NO_PROXY: 'backend.example' });
  expect([status, seen]).toEqual([502, []]);
}, 60_000);

test('a relayed request goes through HTTP_PROXY', async () => {
  const gateway = await startProcess({
    OPENAI_BASE_URL: 'http://backend.example/v1',
    OPENAI_API_KEY: 'sk-owner-key',
    HTTP_PROXY: proxyUrl,
  });
  const response = await fetch(`${gateway.url}/v1/models`);
  expect([response.status, await response.text()]).toEqual([200, expect.stringContaining('gpt-4')]);
  gateway.child.kill();
  await gateway.exited;
  expect(seen).toContain('GET http://backend.example/v1/models');
}, 60_000);
