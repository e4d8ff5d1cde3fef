import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Running, startOnNode } from './gateways.ts';
import {
  answer,
  chunk,
  done,
  event,
  lastChunk,
  type RawUpstream,
  startRawUpstream,
  streamHead,
} from './raw-upstream.ts';

/** Clients that break the protocol, byte by byte over a socket. On Node only. */
const large = Buffer.alloc(100_000, 1);
let upstream: RawUpstream;
let gateway: Running;
const rejections: unknown[] = [];
const note = (reason: unknown) => void rejections.push(reason);

beforeAll(async () => {
  process.on('unhandledRejection', note);
  upstream = await startRawUpstream({
    '/v1/chat/completions': (_, request) =>
      request.includes('"stream":true')
        ? [
            streamHead,
            ...Array.from({ length: 20 }, (_, i) => [chunk(event(`part ${i}`)), 2]).flat(),
            chunk(done),
            lastChunk,
          ]
        : [answer(200, '{"choices":[]}')],
    '/v1/hang': () => [streamHead, chunk(event('one')), 'never'],
    '/v1/big': () => [
      'HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ncontent-length: 50000000\r\n\r\n',
      ...Array<Buffer>(500).fill(large),
    ],
  });
  gateway = await startOnNode({
    OPENAI_BASE_URL: `${upstream.url}/v1`,
    KEEPALIVE_SECONDS: '1',
    DRAIN_TIMEOUT: '1',
  });
});
afterAll(async () => {
  await gateway.stop();
  upstream.stop();
  process.off('unhandledRejection', note);
});

const dial = (): Promise<Socket> =>
  new Promise((resolve) => {
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1', () => resolve(socket));
    socket.on('error', () => {});
  });
const post = (body: string, more = '') =>
  `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer sk-x\r\ncontent-type: application/json\r\n${more}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
const get = (path: string) => `GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer k\r\n\r\n`;
const streaming = post('{"model":"m","stream":true}');
const short = post('{"model":"m"}');

/** All bytes of a socket until it ends, or for some milliseconds. */
async function said(socket: Socket, ms = 3000): Promise<string> {
  let text = '';
  socket.on('data', (data: Buffer) => {
    text += data.toString('latin1');
  });
  await Promise.race([new Promise((resolve) => socket.once('close', resolve)), sleep(ms)]);
  return text;
}

async function isServedNormally(): Promise<void> {
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk-x', 'content-type': 'application/json' },
    body: '{"model":"m"}',
  });
  expect(await response.json()).toEqual({ choices: [] });
}

test('a thousand clients leave at any byte: every upstream request ends, and the next client is served', async () => {
  const whole = streaming.length + 3000;
  const one = async (): Promise<void> => {
    const at = Math.floor(Math.random() * whole);
    const socket = await dial();
    if (at < streaming.length) {
      socket.write(streaming.slice(0, at));
      await sleep(Math.random() * 3);
    } else {
      socket.write(streaming);
      let got = 0;
      await new Promise<void>((resolve) => {
        socket.on('data', (data) => {
          got += data.length;
          if (got >= at - streaming.length) resolve();
        });
        socket.once('close', () => resolve());
        setTimeout(resolve, 100);
      });
    }
    if (Math.random() < 0.5) socket.destroy();
    else socket.resetAndDestroy();
  };
  for (let round = 0; round < 20; round++) await Promise.all(Array.from({ length: 50 }, one));
  // Every request that reached the upstream ends there: complete or aborted.
  const asked = () => [...upstream.asked.values()].reduce((sum, count) => sum + count, 0);
  await expect.poll(() => asked() - upstream.ended() - upstream.aborted()).toBe(0);
  await isServedNormally();
  expect(rejections).toEqual([]);
});

test('a client that leaves ends the request to the upstream', async () => {
  const before = upstream.aborted();
  const socket = await dial();
  // The upstream never ends this stream.
  socket.write(get('/v1/hang'));
  await new Promise((resolve) => socket.once('data', resolve));
  socket.destroy();
  await expect.poll(() => upstream.aborted()).toBe(before + 1);
});

test('a client that does not read stops the upstream', async () => {
  const before = upstream.sent();
  const sockets = await Promise.all(
    Array.from({ length: 10 }, async () => {
      const socket = await dial();
      socket.pause();
      socket.write(get('/v1/big'));
      return socket;
    }),
  );
  // Waits until nothing moves any more: all buffers on the way are full.
  let sent = -1;
  while (sent !== upstream.sent()) {
    sent = upstream.sent();
    await sleep(500);
  }
  // Ten clients asked for 500 MB. The kernel holds a few MB for each socket, the gateway little.
  expect(sent - before).toBeLessThan(200e6);
  for (const socket of sockets) socket.destroy();
  await isServedNormally();
});

test('several requests sent at once are answered in their order', async () => {
  const socket = await dial();
  const missing = 'GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n';
  socket.write(short + missing + post('{"model":"m"}', 'connection: close\r\n'));
  const text = await said(socket);
  expect([...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status)).toEqual([
    '200',
    '404',
    '200',
  ]);
});

test('one who closes its half has left: nothing can tell it from one who closed both', async () => {
  const before = upstream.aborted();
  const socket = await dial();
  socket.write(streaming);
  await new Promise((resolve) => socket.once('data', resolve));
  socket.end();
  await expect.poll(() => upstream.aborted()).toBe(before + 1);
});

test('one byte at a time is a request like others', async () => {
  const socket = await dial();
  for (const byte of Buffer.from(post('{"model":"m"}', 'connection: close\r\n'))) {
    socket.write(Buffer.from([byte]));
    await sleep(0);
  }
  expect(await said(socket)).toContain('{"choices":[]}');
});

describe('what is no good request', () => {
  test.each([
    ['two lengths', `POST /v1/x HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ncontent-length: 5\r\n\r\nabcde`],
    [
      'a length and chunks',
      `POST /v1/x HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    ['a space before a colon', `GET /v1/models HTTP/1.1\r\nhost : x\r\n\r\n`],
    ['a bare line feed in a header', `GET /v1/models HTTP/1.1\r\nhost: x\r\nx: a\nb: c\0\r\n\r\n`],
    ['another protocol', `\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03`],
    [
      'a head of a megabyte',
      `GET /v1/models HTTP/1.1\r\nhost: x\r\nx-large: ${'a'.repeat(1_000_000)}\r\n\r\n`,
    ],
    [
      'a chunk of no size',
      `POST /v1/x HTTP/1.1\r\nhost: x\r\nauthorization: Bearer k\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nabc\r\n`,
    ],
  ])('%s is refused or cut, and harms no other client', async (_, bytes) => {
    const socket = await dial();
    socket.write(bytes, 'latin1');
    const text = await said(socket, 1000);
    if (text !== '') expect(text).toMatch(/^HTTP\/1\.1 (4\d\d|502)/);
    socket.destroy();
    await isServedNormally();
  });
});

test('half a request delays no other client', async () => {
  const slow = await Promise.all(Array.from({ length: 200 }, dial));
  for (const socket of slow) socket.write('POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-slow: ');
  for (let i = 0; i < 20; i++) await isServedNormally();
  for (const socket of slow) socket.destroy();
});
