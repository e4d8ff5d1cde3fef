import { createServer, get } from 'node:http';
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

test('it listens within 400 ms', async () => {
  const times: number[] = [];
  for (let i = 0; i < 5; i++) {
    const gateway = await startProcess({});
    times.push(gateway.startMs);
    gateway.child.kill('SIGKILL');
  }
  // The best of five is the program's own time; the others are the machine's.
  expect(Math.min(...times)).toBeLessThan(400);
});

describe('a start that must not be', () => {
  test.each([
    ['an open relay', { OPENAI_API_KEY: 'sk-canary-key', HOST: '0.0.0.0' }, 'PUBLIC_RELAY=true'],
    ['a wrong port', { PORT: 'http' }, 'PORT: is text, but must be a number.'],
    [
      'a settings file that is not there',
      { SLUICE_CONFIG: '/nowhere/sluice.json' },
      'could not be read (ENOENT)',
    ],
  ])('%s ends with one line that says the mend', async (_, env, words) => {
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
      `port ${port} on 127.0.0.1 is taken. Set PORT`,
    );
    blocker.close();
  });
});

describe('SIGTERM', () => {
  test('lets open streams end, refuses new requests, and exits 0', async () => {
    const gateway = await startProcess({ OPENAI_BASE_URL: upstream.url, DRAIN_TIMEOUT: '10' });
    const headers = { authorization: 'Bearer sk-own' };
    const open = await fetch(`${gateway.url}/v1/sse?n=10&gap=100`, { headers });
    gateway.child.kill('SIGTERM');
    await sleep(100);
    await expect(fetch(`${gateway.url}/livez`)).rejects.toThrow();
    expect(await open.text()).toMatch(/part 9.*\[DONE\]\n\n$/s);
    expect(await gateway.exited).toBe(0);
  });

  test('ends what does not end by itself after DRAIN_TIMEOUT', async () => {
    const gateway = await startProcess({ OPENAI_BASE_URL: upstream.url, DRAIN_TIMEOUT: '1' });
    const open = await fetch(`${gateway.url}/v1/sse?n=1000&gap=100`, {
      headers: { authorization: 'Bearer sk-own' },
    });
    const started = Date.now();
    gateway.child.kill('SIGTERM');
    await open.text().catch(() => {});
    expect(await gateway.exited).toBe(0);
    expect(Date.now() - started).toBeLessThan(3000);
  });
});

describe('1 GB', () => {
  const bytes = 1024 ** 3;
  /** What may be under way at once, with the collector's own leisure: a tenth of the body. */
  const bound = 100 * 1024 ** 2;

  test('goes to a slow reader without piling up in the gateway', async () => {
    const gateway = await startProcess({ OPENAI_BASE_URL: upstream.url, LOG_LEVEL: 'error' });
    await fetch(`${gateway.url}/v1/big?bytes=${2 ** 28}`, {
      headers: { authorization: 'Bearer sk-own' },
    }).then((answer) => answer.arrayBuffer());
    const before = gateway.rss();
    let most = before;
    let received = 0;
    await new Promise<void>((resolve, reject) => {
      get(
        `${gateway.url}/v1/big?bytes=${bytes}`,
        { headers: { authorization: 'Bearer sk-own' } },
        async (answer) => {
          try {
            for await (const chunk of answer) {
              const length = (chunk as Buffer).length;
              // A reader that pauses every 64 MB.
              if (Math.floor(received / 2 ** 26) !== Math.floor((received + length) / 2 ** 26)) {
                await sleep(60);
                most = Math.max(most, gateway.rss());
              }
              received += length;
            }
            resolve();
          } catch (error) {
            reject(error as Error);
          }
        },
      );
    });
    expect(received).toBe(bytes);
    expect(most - before).toBeLessThan(bound);
    gateway.child.kill('SIGKILL');
  });

  test('goes to an upstream without piling up either', async () => {
    const gateway = await startProcess({ OPENAI_BASE_URL: upstream.url, LOG_LEVEL: 'error' });
    const headers = { authorization: 'Bearer sk-own' };
    await fetch(`${gateway.url}/v1/sink`, { method: 'POST', headers, body: Buffer.alloc(10_000_000) });
    const before = gateway.rss();
    let most = before;
    let left = bytes;
    const chunk = new Uint8Array(1024 * 1024);
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (left === 0) return controller.close();
        left -= chunk.length;
        if (left % 2 ** 26 === 0) most = Math.max(most, gateway.rss());
        controller.enqueue(chunk);
      },
    });
    const answer = await fetch(`${gateway.url}/v1/sink`, {
      method: 'POST',
      headers,
      body,
      duplex: 'half',
    } as RequestInit);
    expect(await answer.json()).toMatchObject({ bytes });
    expect(most - before).toBeLessThan(bound);
    gateway.child.kill('SIGKILL');
  }, 60_000);
});

test('no key reaches any log, whatever goes wrong', async () => {
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
  await sleep(100);
  gateway.child.kill('SIGTERM');
  await gateway.exited;
  expect(gateway.stderr()).toContain('"status":401');
  expect(gateway.stdout() + gateway.stderr()).not.toContain('canary');
});

test('an error that nobody foresaw ends nothing, and shows no key', async () => {
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
  const stream = fetch(`${gateway.url}/v1/sse?n=10&gap=100`).then((answer) => answer.text());
  await sleep(300);
  gateway.child.kill('SIGUSR2');
  expect(await stream).toContain('[DONE]');
  expect((await fetch(`${gateway.url}/v1/models`)).status).toBe(200);
  gateway.child.kill('SIGTERM');
  await gateway.exited;
  expect(gateway.stderr()).toContain('an error that nobody caught');
  expect(gateway.stderr()).toContain('a rejection that nobody handled');
  expect(gateway.stdout() + gateway.stderr()).not.toContain('canary');
});
