import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { hostname } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { forbidden, guardedFetch } from '../src/http/guarded-fetch.ts';
import { createPublicHttp } from '../src/platform/node/fetch-public.ts';
import { type Emulated, startEmulator } from './emulated.ts';
import { type Running, runtimes } from './gateways.ts';

/** A listener on this machine that nobody may connect to. */
let canary: Server;
let port: number;
let connections = 0;
/** A server that the owner allowed, and that sends on to the canary. */
let open: HttpServer;
let openHost: string;
let web: Emulated;

beforeAll(async () => {
  canary = createServer((socket) => {
    connections++;
    socket.end('HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecret');
  });
  await new Promise<void>((resolve) => canary.listen(0, '::', resolve));
  port = (canary.address() as AddressInfo).port;
  open = createHttpServer((request, response) => {
    const status = Number(/^\/(\d{3})/.exec(request.url ?? '')?.[1] ?? 302);
    const to = decodeURIComponent(request.url?.split('to=')[1] ?? '');
    response.writeHead(status, { location: to }).end();
  });
  await new Promise<void>((resolve) => open.listen(0, '127.0.0.1', resolve));
  openHost = `127.0.0.1:${(open.address() as AddressInfo).port}`;
  web = await startEmulator();
});
afterAll(() => {
  canary.close();
  open.close();
  web.stop();
});

/** Ways to say "this machine" or "its network"; `PORT` is the canary's. */
const addresses: readonly string[] = [
  'http://127.0.0.1:PORT/',
  'http://127.0.0.1:PORT/a.png',
  'http://localhost:PORT/',
  'http://LOCALHOST:PORT/',
  'http://localhost.:PORT/',
  'http://localhost.localdomain:PORT/',
  'http://a.localhost:PORT/',
  'http://127.1:PORT/',
  'http://127.0.1:PORT/',
  'http://127.127.127.127:PORT/',
  'http://127.0.0.1.:PORT/',
  'http://0.0.0.0:PORT/',
  'http://0:PORT/',
  'http://0x7f.0.0.1:PORT/',
  'http://0x7f000001:PORT/',
  'http://0x7F.1:PORT/',
  'http://017700000001:PORT/',
  'http://0177.0.0.1:PORT/',
  'http://0177.0.0.0x1:PORT/',
  'http://2130706433:PORT/',
  'http://[::1]:PORT/',
  'http://[0:0:0:0:0:0:0:1]:PORT/',
  'http://[::]:PORT/',
  'http://[::ffff:127.0.0.1]:PORT/',
  'http://[::ffff:7f00:1]:PORT/',
  'http://[0:0:0:0:0:ffff:7f00:1]:PORT/',
  'http://[::127.0.0.1]:PORT/',
  'http://[::7f00:1]:PORT/',
  'http://[::ffff:0:127.0.0.1]:PORT/',
  'http://[64:ff9b::7f00:1]:PORT/',
  'http://[2002:7f00:1::]:PORT/',
  'http://[fe80::1]:PORT/',
  'http://[fe80::1%25lo]:PORT/',
  'http://[fc00::1]:PORT/',
  'http://[fd00:ec2::254]/latest/meta-data/',
  'http://169.254.169.254/latest/meta-data/',
  'http://169.254.169.254:PORT/',
  'http://[::ffff:169.254.169.254]/',
  'http://0xa9fea9fe/',
  'http://2852039166/latest/meta-data/',
  'http://metadata.google.internal/computeMetadata/v1/',
  'http://100.100.100.200/latest/meta-data/',
  'http://168.63.129.16/machine',
  'http://192.0.0.192/opc/v1/',
  'http://10.0.0.1:PORT/',
  'http://172.16.0.1:PORT/',
  'http://192.168.0.1:PORT/',
  'http://100.64.0.1:PORT/',
  'http://224.0.0.1:PORT/',
  'http://255.255.255.255:PORT/',
  'http://１２７.０.０.１:PORT/',
  'http://①②⑦.⓪.⓪.①:PORT/',
  'http://127。0。0。1:PORT/',
  'http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:PORT/',
  'http://local\thost:PORT/',
  'http:127.0.0.1:PORT/',
  'http:\\\\127.0.0.1:PORT\\',
  'http://example.com@127.0.0.1:PORT/',
  'http://127.0.0.1:PORT#@example.com/',
  'http://127.0.0.1:PORT?@example.com/',
  'http://user:pass@127.0.0.1:PORT/',
  'http://redis:PORT/',
  `http://${hostname()}:PORT/`,
  'http://printer.local:PORT/',
  'https://127.0.0.1:PORT/',
  'HTTP://127.0.0.1:PORT/',
  'ftp://127.0.0.1:PORT/',
  'gopher://127.0.0.1:PORT/_GET',
  'ws://127.0.0.1:PORT/',
  'file:///etc/passwd',
  'file://127.0.0.1/etc/passwd',
  'dict://127.0.0.1:PORT/info',
  'unix:///var/run/docker.sock',
];

describe.each(runtimes)('addresses that a caller gives to a gateway on $name', ({ start }) => {
  let gateway: Running;
  beforeAll(async () => {
    gateway = await start({
      BASE_URL: web.url,
      PROXY_API_PREFIX: 'emulator-web',
      FILE_FETCH_ALLOW: openHost,
    });
  });
  afterAll(() => gateway.stop());

  const send = async (url: string): Promise<{ status: number; text: string }> => {
    const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: 'Bearer k', 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'gpt-4',
        messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }],
      }),
    });
    return { status: answer.status, text: await answer.text() };
  };

  test('there are at least sixty of them', () => expect(addresses.length).toBeGreaterThanOrEqual(60));

  test.each(addresses)('%s is never connected to', async (address) => {
    const before = connections;
    const { status, text } = await send(address.replaceAll('PORT', String(port)));
    expect(status).toBe(400);
    expect(text).not.toContain('secret');
    expect(connections).toBe(before);
  });

  test.each([301, 302, 303, 307, 308])('nor behind a %i of a host that is allowed', async (status) => {
    for (const to of [
      `http://127.0.0.1:${port}/`,
      `//127.0.0.1:${port}/`,
      `http://[::1]:${port}/`,
      'file:///etc/passwd',
    ]) {
      const before = connections;
      const answer = await send(`http://${openHost}/${status}?to=${encodeURIComponent(to)}`);
      expect(answer.status).toBe(400);
      expect(connections).toBe(before);
    }
  });
});

describe('a name that resolves to this machine, on Node', () => {
  type Found = { address: string; family: number }[];
  const fetchWith = (resolve: (times: number) => Found) => {
    let times = 0;
    const { fetchPublic } = createPublicHttp((_, __, callback) => callback(null, resolve(times++)));
    return (url: string) => guardedFetch({ fetchPublic }, url, { allow: new Set(), timeoutSeconds: 5 });
  };

  test.each(['127.0.0.1', '10.1.2.3', '169.254.169.254', '::1', '::ffff:127.0.0.1', 'fd00::1'])(
    '%s: no connection is made',
    async (address) => {
      const before = connections;
      const ask = fetchWith(() => [{ address, family: address.includes(':') ? 6 : 4 }]);
      await expect(ask(`http://rebound.example:${port}/`)).rejects.toThrow(forbidden().message);
      expect(connections).toBe(before);
    },
  );

  test('a name with a public address among private ones is only asked there', async () => {
    const before = connections;
    const ask = fetchWith(() => [
      { address: '127.0.0.1', family: 4 },
      // Nothing answers in the documentation's own network; it is refused like a private one, and no public one is left.
      { address: '192.0.2.1', family: 4 },
    ]);
    await expect(ask(`http://both.example:${port}/`)).rejects.toThrow(forbidden().message);
    expect(connections).toBe(before);
  });

  test('a name that means another machine the second time is looked at each time', async () => {
    const before = connections;
    const ask = fetchWith((times) => [{ address: times === 0 ? '10.0.0.1' : '127.0.0.1', family: 4 }]);
    for (let i = 0; i < 3; i++) await expect(ask(`http://twice.example:${port}/`)).rejects.toThrow('private');
    expect(connections).toBe(before);
  });
});
