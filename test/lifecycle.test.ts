import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import WebSocket, { WebSocketServer } from 'ws';
import { type Running, runtimes, startOnNode } from './gateways.ts';
import { startProcess } from './process.ts';
import { type RawUpstream, startRawUpstream } from './raw-upstream.ts';
import { readUntilBroken } from './read-until-broken.ts';

/** Each way that a request can end, and what it must give back. */

const streamHead = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';
const event = 'data: {"id":"c1","choices":[]}\n\n';
const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;

let upstream: RawUpstream;
beforeAll(async () => {
  upstream = await startRawUpstream({
    '/v1/phrase': () => [Buffer.from('HTTP/1.1 200 \u00e4\u0001\r\ncontent-length: 2\r\n\r\nhi', 'latin1')],
    '/v1/continue-for-ever': () =>
      Array.from({ length: 40 }, () => ['HTTP/1.1 102 Processing\r\n\r\n', 200]).flat(),
    '/v1/reset-without-length': () => [
      `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n${event}`,
      100,
      'reset',
    ],
    '/v1/events-with-length': () => [
      `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: ${2 * event.length}\r\n\r\n${event}`,
      2600,
      event,
    ],
    '/v1/redirect': () => [
      'HTTP/1.1 302 Found\r\nlocation: /v1/there\r\ncontent-length: 1000000\r\n\r\n',
      ...Array.from({ length: 40 }, () => ['x', 200]).flat(),
    ],
    '/v1/there': () => ['HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nthere'],
    '/v1/stream': () => [streamHead, chunk(event), 'never'],
    '/v1/chat/completions': () => ['HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}'],
    '/backend-api/conversation': () => [300, 'HTTP/1.1 503 X\r\ncontent-length: 2\r\n\r\n{}'],
  });
});
afterAll(() => upstream.stop());

const own = { authorization: 'Bearer k' };

describe.each(runtimes)('on $name', ({ name, start }) => {
  let gateway: Running;
  const at = (path: string) => `${gateway.url}${path}`;
  beforeAll(async () => {
    gateway = await start({
      OPENAI_BASE_URL: `${upstream.url}/v1`,
      FIRST_BYTE_TIMEOUT: '2',
      IDLE_TIMEOUT: '5',
      KEEPALIVE_SECONDS: '1',
      WATCH: 'whole',
    });
  });
  afterAll(() => gateway.stop());

  test('a reason phrase that HTTP does not allow is left out', async () => {
    const response = await fetch(at('/v1/phrase'), { headers: own });
    // workerd's own parser refuses such a head.
    if (name === 'workerd') expect(response.status).toBe(502);
    else expect([response.status, await response.text()]).toEqual([200, 'hi']);
  });

  test('interim responses do not extend FIRST_BYTE_TIMEOUT', async () => {
    const response = await fetch(at('/v1/continue-for-ever'), { headers: own });
    expect(response.status).toBe(504);
  });

  test('a reset of a response without a length is an error', async () => {
    const response = await fetch(at('/v1/reset-without-length'), { headers: own });
    const { text, isBroken } = await readUntilBroken(response);
    expect(isBroken).toBe(true);
    expect(text).toMatch(/^data: .*\n\ndata: \{"error":.*upstream_error.*\}\n\n$/);
  });

  test('an event stream with a length gets keep-alives and stays whole', async () => {
    const response = await fetch(at('/v1/events-with-length'), { headers: own });
    expect(response.headers.get('content-length')).toBeNull();
    const text = await response.text();
    expect(text).toContain(': keep-alive\n');
    expect(text.replaceAll(': keep-alive\n', '')).toBe(event + event);
  });

  test('a redirect is followed although its own body drips', async () => {
    const response = await fetch(at('/v1/redirect'), { headers: own });
    expect(await response.text()).toBe('there');
  });

  test('a client that leaves gives its place back', { timeout: 60_000 }, async () => {
    // workerd notices a client that has left when it writes to it: here, the next keep-alive.
    const limited = await start({
      OPENAI_BASE_URL: `${upstream.url}/v1`,
      MAX_CONCURRENT: '2',
      KEEPALIVE_SECONDS: '1',
      WATCH: 'whole',
    });
    for (let i = 0; i < 6; i++) {
      const leave = new AbortController();
      const response = await fetch(`${limited.url}/v1/stream`, { headers: own, signal: leave.signal });
      await response.body?.getReader().read();
      leave.abort();
      await expect
        .poll(async () => (await fetch(`${limited.url}/v1/there`, { headers: own })).status, {
          timeout: 5000,
        })
        .toBe(200);
    }
    await limited.stop();
  });

  test.runIf(name === 'node')(
    'a client that leaves before a converted head gives its place back',
    async () => {
      const limited = await start({ BASE_URL: upstream.url, MAX_CONCURRENT: '3' });
      const body = JSON.stringify({ model: 'gpt-4', messages: [{ role: 'user', content: 'x' }] });
      const request = `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer k\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
      for (let i = 0; i < 6; i++) {
        const socket = connect(Number(new URL(limited.url).port), '127.0.0.1');
        // Whole requests, and requests that stop in the middle of their body.
        socket.write(i % 2 === 0 ? request : request.slice(0, -20));
        await sleep(60);
        socket.destroy();
      }
      const ask = () =>
        fetch(`${limited.url}/v1/chat/completions`, {
          method: 'POST',
          headers: { ...own, 'content-type': 'application/json' },
          body,
        });
      // The upstream refuses, which the gateway could not pass on if all places were taken.
      await expect.poll(async () => (await (await ask()).text()).includes('MAX_CONCURRENT')).toBe(false);
      await limited.stop();
    },
  );

  test.runIf(name === 'node')('a refused upload is always readable', { timeout: 30_000 }, async () => {
    const closed = await start({
      OPENAI_BASE_URL: `${upstream.url}/v1`,
      OPENAI_API_KEY: 'sk-owner',
      ACCESS_KEYS: 'right-key-1',
    });
    const client = new OpenAI({ baseURL: `${closed.url}/v1`, apiKey: 'wrong-key', maxRetries: 0 });
    for (const size of [10, 3000, 3_000_000]) {
      for (let i = 0; i < 8; i++) {
        const file = new File([new Uint8Array(size)], 'a.txt');
        const refused = client.files.create({ file, purpose: 'user_data' });
        await expect(refused).rejects.toMatchObject({ status: 401 });
      }
    }
    await closed.stop();
  });
});

describe('a WebSocket on Node', () => {
  let echo: WebSocketServer;
  let base: string;
  beforeAll(async () => {
    echo = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    echo.on('connection', (socket) => socket.on('message', (data) => socket.send(String(data))));
    await new Promise((resolve) => echo.once('listening', resolve));
    base = `http://127.0.0.1:${(echo.address() as { port: number }).port}/v1`;
  });
  afterAll(() => void echo.close());

  const open = (url: string): Promise<WebSocket> =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/realtime`, { headers: own });
      socket.once('open', () => resolve(socket)).once('error', reject);
    });
  const closed = (socket: WebSocket) => new Promise((resolve) => socket.once('close', resolve));

  test('counts in MAX_CONCURRENT until it closes', async () => {
    const gateway = await startOnNode({ OPENAI_BASE_URL: base, MAX_CONCURRENT: '2' });
    const sockets = [await open(gateway.url), await open(gateway.url)];
    await expect(open(gateway.url)).rejects.toThrow('503');
    sockets[0]?.send('hello');
    expect(String(await new Promise((resolve) => sockets[0]?.once('message', resolve)))).toBe('hello');
    sockets[0]?.close();
    await expect
      .poll(() =>
        open(gateway.url).then(
          (socket) => sockets.push(socket),
          () => 0,
        ),
      )
      .toBe(3);
    for (const socket of sockets) socket.terminate();
    await gateway.stop();
  });

  test('is closed by IDLE_TIMEOUT', async () => {
    const gateway = await startOnNode({ OPENAI_BASE_URL: base, IDLE_TIMEOUT: '1', KEEPALIVE_SECONDS: '0' });
    const socket = await open(gateway.url);
    await closed(socket);
    await gateway.stop();
  });

  test('does not outlive DRAIN_TIMEOUT', { timeout: 20_000 }, async () => {
    const gateway = await startProcess({ OPENAI_BASE_URL: base, DRAIN_TIMEOUT: '1' });
    const socket = await open(gateway.url);
    const end = closed(socket);
    gateway.child.kill('SIGTERM');
    await end;
    expect(await gateway.exited).toBe(0);
  });

  test('that the upstream refuses has a response with a length', async () => {
    const gateway = await startOnNode({ OPENAI_BASE_URL: `${upstream.url}/v1` });
    const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/v1/unknown`, { headers: own });
    const response = await new Promise<{ headers: Record<string, unknown> }>((resolve) =>
      socket.once('unexpected-response', (_, answer) => resolve(answer)),
    );
    expect(response.headers).toHaveProperty('content-length');
    expect(response.headers).not.toHaveProperty('transfer-encoding');
    socket.on('error', () => {}).terminate();
    await gateway.stop();
  });
});
