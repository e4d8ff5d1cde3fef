import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FakeUpstream, startFakeUpstream } from './fake-upstream.ts';
import { type Process, startProcess } from './process.ts';

let upstream: FakeUpstream;
beforeAll(async () => {
  upstream = await startFakeUpstream();
});
afterAll(() => upstream.stop());

describe('started without any configuration', () => {
  let gateway: Process;
  beforeAll(async () => {
    gateway = await startProcess({});
  });
  afterAll(() => void gateway.child.kill('SIGKILL'));

  test('it says that it is on the emulator, and where it listens', () => {
    expect(gateway.stdout()).toMatch(
      /^No upstream is configured: .*emulator.*\nsluice listening on http:\/\/127\.0\.0\.1:\d+\n$/,
    );
  });

  test('the first request streams, with no key and no network', async () => {
    const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({
        model: 'gpt-4o-mini',
        stream: true,
        messages: [{ role: 'user', content: 'Hello' }],
      }),
    });
    const text = await answer.text();
    expect(text).toMatch(/^data: \{/);
    expect(text).toMatch(/data: \[DONE\]\n\n$/);
  });

  test('its log is a line of JSON for each request, without the query', async () => {
    await fetch(`${gateway.url}/v1/models?key=secret-in-query`);
    while (!gateway.stderr().includes('"/v1/models"')) await sleep(10);
    const line = gateway
      .stderr()
      .trimEnd()
      .split('\n')
      .map((each) => JSON.parse(each) as Record<string, unknown>)
      .find(({ path }) => path === '/v1/models');
    expect(line).toMatchObject({
      level: 'info',
      msg: 'request',
      method: 'GET',
      route: '/v1/models',
      status: 200,
      endedBy: 'done',
    });
    expect(line).toMatchObject({
      id: expect.stringMatching(/^req_/),
      bytes: expect.any(Number),
      totalMs: expect.any(Number),
    });
    expect(gateway.stderr()).not.toContain('secret-in-query');
  });
});

describe('a start that is refused', () => {
  test.each([
    ['an open relay', { OPENAI_API_KEY: 'sk-canary-key', HOST: '0.0.0.0' }, 'PUBLIC_RELAY=true'],
    ['a wrong port', { PORT: 'http' }, 'PORT is "http", but must be a number.'],
    [
      'a settings file that is not there',
      { SLUICE_CONFIG: '/nowhere/sluice.json' },
      'could not be read (ENOENT)',
    ],
  ])('%s ends with one line that names the fix', async (_, env, words) => {
    const error = await startProcess(env as unknown as Record<string, string>).then(
      () => null,
      (thrown: Error) => thrown,
    );
    expect(error?.message).toContain('it ended with 1');
    expect(error?.message).toContain(words);
    expect(error?.message).not.toContain('canary');
  });

  test('a port that is taken', async () => {
    const blocker = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => blocker.once('listening', resolve));
    const { port } = blocker.address() as AddressInfo;
    await expect(startProcess({ PORT: String(port) })).rejects.toThrow(
      `port ${port} on 127.0.0.1 is in use. Set PORT`,
    );
    blocker.close();
  });
});

describe('SIGTERM', () => {
  test('lets open streams end, refuses new requests, and exits 0', async () => {
    const gateway = await startProcess({ OPENAI_BASE_URL: upstream.url, DRAIN_TIMEOUT: '10' });
    const headers = { authorization: 'Bearer sk-own' };
    const open = await fetch(`${gateway.url}/v1/sse?n=20&gap=100`, { headers });
    gateway.child.kill('SIGTERM');
    const isRefused = () =>
      fetch(`${gateway.url}/livez`).then(
        () => false,
        () => true,
      );
    await expect.poll(isRefused).toBe(true);
    expect(await open.text()).toMatch(/part 19.*\[DONE\]\n\n$/s);
    expect(await gateway.exited).toBe(0);
  });

  test('ends what does not end by itself after DRAIN_TIMEOUT', async () => {
    const gateway = await startProcess({ OPENAI_BASE_URL: upstream.url, DRAIN_TIMEOUT: '1' });
    // The stream lasts longer than the timeout of the test.
    const open = await fetch(`${gateway.url}/v1/sse?n=1000&gap=100`, {
      headers: { authorization: 'Bearer sk-own' },
    });
    gateway.child.kill('SIGTERM');
    await open.text().catch(() => {});
    expect(await gateway.exited).toBe(0);
  });
});

test('no error writes a key to the log', async () => {
  const gateway = await startProcess({
    OPENAI_BASE_URL: upstream.url,
    LOG_LEVEL: 'debug',
    ACCESS_KEYS: 'canary-access-key-1',
    OPENAI_API_KEY: 'canary-server-key-1',
  });
  const headers = { authorization: 'Bearer canary-access-key-1', 'x-openai-key': 'sk-canary-own-key' };
  const tries: [string, RequestInit][] = [
    ['/v1/models?key=sk-canary-query', { headers }],
    ['/v1/sk-canary-in-path', { headers }],
    ['/v1/reset', { headers }],
    ['/v1/die-midway', { headers }],
    ['/v1/sse-die', { headers }],
    ['/v1/status?code=401&body=sk-canary-echoed', { headers }],
    [
      '/v1/chat/completions',
      { method: 'POST', headers: { authorization: 'Bearer wrong-canary-key' }, body: 'sk-canary-body' },
    ],
    ['/', { method: 'POST', headers, body: 'sk-canary-body' }],
  ];
  for (const [path, init] of tries)
    await fetch(gateway.url + path, init)
      .then((answer) => answer.text())
      .catch(() => {});
  await fetch(gateway.url).then(async (page) => expect(await page.text()).not.toContain('canary'));
  gateway.child.kill('SIGTERM');
  await gateway.exited;
  expect(gateway.stderr()).toContain('"status":401');
  expect(gateway.stdout() + gateway.stderr()).not.toContain('canary');
});

test('an unexpected error ends no stream and shows no key', async () => {
  const gateway = await startProcess(
    {
      OPENAI_BASE_URL: upstream.url,
      OPENAI_API_KEY: 'canary-server-key-1',
      S3_BUCKET: 'b',
      S3_ENDPOINT: 'http://127.0.0.1:9',
      S3_ACCESS_KEY_ID: 'id',
      S3_SECRET_ACCESS_KEY: 'canary-s3-secret',
      REDIS_URL: 'redis://:canary-redis-password@127.0.0.1:9',
    },
    ['--import', './test/crash.ts', 'src/main.ts'],
  );
  const open = await fetch(`${gateway.url}/v1/sse?n=10&gap=100`);
  gateway.child.kill('SIGWINCH');
  expect(await open.text()).toContain('[DONE]');
  expect((await fetch(`${gateway.url}/v1/models`)).status).toBe(200);
  gateway.child.kill('SIGTERM');
  await gateway.exited;
  expect(gateway.stderr()).toContain('uncaught exception');
  expect(gateway.stderr()).toContain('unhandled rejection');
  expect(gateway.stdout() + gateway.stderr()).not.toContain('canary');
});
