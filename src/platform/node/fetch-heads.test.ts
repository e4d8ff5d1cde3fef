import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFetch } from './fetch.ts';

/** What the server writes for the next request. */
let reply: Buffer;
let server: Server;
let connections = 0;
/** The socket of the request that came last. */
const seen: { latest: Socket | null } = { latest: null };
const sockets = new Set<Socket>();
const fetch = createFetch(2);
beforeAll(async () => {
  server = createServer((socket) => {
    connections++;
    sockets.add(socket);
    socket
      .on('error', () => {})
      .on('data', () => {
        seen.latest = socket;
        socket.write(reply);
      });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  await fetch.close();
  for (const socket of sockets) socket.destroy();
  server.close();
});
const ask = (newConnection = false) =>
  fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, {}, newConnection);
const replyWith = (statusLine: string, headers = '') => {
  reply = Buffer.from(`HTTP/1.1 ${statusLine}\r\ncontent-length: 2\r\n${headers}\r\nhi`, 'latin1');
};

test.each(['\x01', '\xe4\xb8\xad', '\xe9'])(
  'a reason phrase of %j does not reach the response',
  async (phrase) => {
    replyWith(`200 ${phrase}`);
    const response = await ask();
    expect([response.status, response.statusText, await response.text()]).toEqual([200, '', 'hi']);
  },
);

test.each([600, 999])('a response with status %i is an error at once', async (status) => {
  replyWith(`${status} X`);
  await expect(ask()).rejects.toMatchObject({ cause: { code: 'INVALID_RESPONSE_HEAD' } });
});

test.each(['constructor', 'toString', '__proto__', 'hasOwnProperty'])(
  'a content-encoding of %s leaves the body as it is',
  async (encoding) => {
    replyWith('200 OK', `content-encoding: ${encoding}\r\n`);
    expect(await (await ask()).text()).toBe('hi');
  },
);

test('a connection is reused unless a new one is asked for', async () => {
  replyWith('200 OK');
  await (await ask()).text();
  const before = connections;
  await (await ask()).text();
  expect(connections).toBe(before);
  await (await ask(true)).text();
  expect(connections).toBe(before + 1);
});

test.each(['100 Continue', '100 Continue, split', '102 Processing'])(
  'an interim response that was not asked for (%s) is skipped, also on a kept connection',
  async (status) => {
    const isSplit = status.endsWith('split');
    const line = status.replace(', split', '');
    for (let i = 0; i < 3; i++) {
      replyWith('200 OK');
      const first = Buffer.from(`HTTP/1.1 ${line}\r\nx-a: b\r\n\r\n`);
      const whole = Buffer.concat([first, first, reply]);
      seen.latest = null;
      reply = isSplit ? Buffer.alloc(0) : whole;
      const asked = ask();
      if (isSplit) {
        await expect.poll(() => seen.latest).not.toBeNull();
        for (const byte of whole) {
          (seen.latest as Socket | null)?.write(Buffer.from([byte]));
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
      const response = await asked;
      expect([response.status, await response.text()]).toEqual([200, 'hi']);
    }
  },
);

test('a body that begins like an interim response is not changed', async () => {
  const body = 'HTTP/1.1 100 Continue\r\n\r\nrest';
  reply = Buffer.from(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
  expect(await (await ask()).text()).toBe(body);
});
