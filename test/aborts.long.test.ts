import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { type Process, startProcess } from './process.ts';

/** Clients that leave at any moment: afterwards nothing is open, every place is free, every request is recorded. */

const aborts = 10_000;
const atOnce = 25;
const places = 20;
const metricsKey = 'metrics-key-of-this-test';

let upstream: Server;
let gateway: Process;
/** Requests that the upstream has not finished, and sockets that switched to a WebSocket. */
const open = new Set<ServerResponse>();
const sockets = new WebSocketServer({ noServer: true });

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  open.add(response);
  response.once('close', () => open.delete(response));
  request.resume();
  await sleep(Math.random() * 6);
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const isHeld = request.url?.includes('hold');
  for (let i = 0; i < (isHeld ? 100 : 4) && !response.destroyed; i++) {
    response.write(`data: {"id":"c","choices":[{"index":0,"delta":{"content":"${i}"}}]}\n\n`);
    await sleep(isHeld ? 50 : Math.random() * 4);
  }
  response.end('data: [DONE]\n\n');
}

beforeAll(async () => {
  upstream = createServer((request, response) => void serve(request, response));
  upstream.on('upgrade', (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, (client) =>
      client.on('message', (data) => client.send(data)),
    );
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  gateway = await startProcess({
    SLUICE_CONFIG: JSON.stringify({
      upstreams: {
        o: { kind: 'openai', url: `${url}/v1`, keys: ['sk-o'] },
        b: { kind: 'backend-api', url, keys: ['sk-b'] },
      },
      models: { relayed: { upstream: 'o' }, converted: { upstream: 'b', model: 'gpt-4' } },
      hideConversations: false,
    }),
    MAX_CONCURRENT: String(places),
    METRICS_KEY: metricsKey,
    LOG_LEVEL: 'info',
  });
});
afterAll(async () => {
  gateway.child.kill('SIGKILL');
  upstream.closeAllConnections();
  upstream.close();
});

const post = (model: string): string => {
  const body = JSON.stringify({
    model,
    stream: true,
    messages: [{ role: 'user', content: 'x'.repeat(200) }],
  });
  return `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
};
const handshake =
  'GET /v1/realtime HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';
const kinds = [post('relayed'), post('converted'), handshake];

const abort = fc.record({
  kind: fc.nat(kinds.length - 1),
  /** Which part of the request is sent; 1 is all of it. */
  part: fc.oneof(fc.constant(1), fc.constant(1), fc.double({ min: 0.3, max: 1, noNaN: true })),
  waitMs: fc.nat(25),
  isReset: fc.boolean(),
});

/** Sends part of a request, waits, and leaves. */
async function leave({
  kind,
  part,
  waitMs,
  isReset,
}: typeof abort extends fc.Arbitrary<infer T> ? T : never) {
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
  socket.on('error', () => {});
  socket.resume();
  const request = kinds[kind] ?? '';
  socket.write(request.slice(0, Math.ceil(request.length * part)));
  await sleep(waitMs);
  if (isReset) socket.resetAndDestroy();
  else socket.destroy();
}

async function scrape(): Promise<Map<string, number>> {
  const headers = { authorization: `Bearer ${metricsKey}` };
  const text = await (await fetch(`${gateway.url}/metrics`, { headers })).text();
  return new Map(
    [...text.matchAll(/^(\w+(?:\{[^}]*\})?) ([\d.e+-]+)$/gm)].map(([, name = '', value]) => [
      name,
      Number(value),
    ]),
  );
}

const recorded = (counts: Map<string, number>): number =>
  [...counts].reduce((sum, [name, value]) => sum + (name.startsWith('sluice_requests_total') ? value : 0), 0);

test('10,000 clients that leave at any moment take nothing with them', { timeout: 300_000 }, async () => {
  const all = fc.sample(abort, { numRuns: aborts, seed: Number(process.env.FUZZ_SEED ?? 1) });
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let next = all.pop(); next; next = all.pop()) await leave(next);
    }),
  );
  await expect.poll(() => open.size + sockets.clients.size, { timeout: 20_000 }).toBe(0);
  await expect.poll(async () => (await scrape()).get('sluice_open_requests'), { timeout: 20_000 }).toBe(1);
  const counts = await scrape();
  const lines = () =>
    gateway
      .stderr()
      .split('\n')
      .filter((line) => line.includes('"msg":"request"')).length;
  // The scrape that counts is recorded when it has ended.
  await expect.poll(lines, { timeout: 20_000 }).toBe(recorded(counts) + 1);
  expect(recorded(counts)).toBeGreaterThan(aborts / 2);

  const leaving = new AbortController();
  const held = await Promise.all(
    Array.from({ length: places }, () =>
      fetch(`${gateway.url}/v1/hold`, { signal: leaving.signal }).then((response) => response.status),
    ),
  );
  expect(held).toEqual(Array.from({ length: places }, () => 200));
  leaving.abort();
});
