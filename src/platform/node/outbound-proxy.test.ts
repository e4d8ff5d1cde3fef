import { createServer, request, type Server } from 'node:http';
import {
  type AddressInfo,
  connect,
  createServer as createTcpServer,
  type Server as TcpServer,
} from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { createFetch } from './fetch.ts';
import { createPublicHttp } from './fetch-public.ts';
import { createProxyFor } from './outbound-proxy.ts';
import { Pools } from './relay/pools.ts';

describe('which proxy a URL goes to', () => {
  const proxyFor = createProxyFor({
    httpProxy: 'http://plain:1',
    httpsProxy: 'http://tls:2',
    noProxy: 'direct.example, .sub.example *.star.example,port.example:8443,[2001:db8::1]:80,2001:db8::2',
  });
  test.each([
    ['http://a.example', 'http://plain:1'],
    ['https://a.example', 'http://tls:2'],
    ['https://direct.example', null],
    ['https://DIRECT.example.', null],
    ['https://deep.direct.example', null],
    ['https://notdirect.example', 'http://tls:2'],
    ['https://x.sub.example', null],
    ['https://x.star.example', null],
    ['https://port.example', 'http://tls:2'],
    ['https://port.example:8443', null],
    ['http://[2001:db8::1]', null],
    ['http://[2001:db8::1]:81', 'http://plain:1'],
    ['http://[2001:db8::2]', null],
    ['http://localhost:1234', null],
    ['http://127.0.0.5', null],
    ['http://[::1]:80', null],
  ])('%s → %s', (url, proxy) => {
    expect(proxyFor(new URL(url))).toBe(proxy);
  });

  test('* means all, and HTTP_PROXY alone serves https too', () => {
    const all = createProxyFor({ httpProxy: 'http://p:1', httpsProxy: undefined, noProxy: '*' });
    expect(all(new URL('https://a.example'))).toBeNull();
    const one = createProxyFor({ httpProxy: 'http://p:1', httpsProxy: undefined, noProxy: '' });
    expect(one(new URL('https://a.example'))).toBe('http://p:1');
  });
});

/** A forward proxy that leads every name to one upstream, and records what it was asked for. */
type Proxy = { url: string; seen: string[]; auth: (string | undefined)[]; server: Server };

async function startProxy(upstream: () => number): Promise<Proxy> {
  const seen: string[] = [];
  const auth: (string | undefined)[] = [];
  const server = createServer((incoming, response) => {
    seen.push(`${incoming.method} ${incoming.url} (${incoming.headers.host})`);
    auth.push(incoming.headers['proxy-authorization']);
    const { pathname, search } = new URL(incoming.url ?? '');
    const { method, headers } = incoming;
    const onward = request({ port: upstream(), path: pathname + search, method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    incoming.pipe(onward);
  });
  server.on('connect', (incoming, socket) => {
    seen.push(`CONNECT ${incoming.url}`);
    const onward = connect(upstream(), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      socket.pipe(onward).pipe(socket);
    });
    for (const end of [socket, onward]) end.on('error', () => {});
  });
  const port = await listening(server);
  return { url: `http://me:p%40ss@127.0.0.1:${port}`, seen, auth, server };
}

function listening(server: Server | TcpServer): Promise<number> {
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
  );
}

describe('connections through a real proxy', () => {
  let proxy: Proxy;
  let upstream: Server;
  let port: number;
  const handshakes: (string | undefined)[] = [];
  beforeAll(async () => {
    upstream = createServer((incoming, response) => {
      const line = incoming.headers['x-line'];
      response.end(
        `${incoming.method} ${incoming.url} of ${incoming.headers.host}${line ? ` with ${line}` : ''}`,
      );
    });
    const sockets = new WebSocketServer({ server: upstream });
    sockets.on('connection', (socket, { headers }) => {
      handshakes.push(headers.host);
      socket.send('hello');
    });
    port = await listening(upstream);
    proxy = await startProxy(() => port);
  });
  afterAll(() => {
    for (const server of [proxy.server, upstream]) {
      server.close();
      server.closeAllConnections();
    }
  });
  const proxyFor = (url = proxy.url) => createProxyFor({ httpProxy: url, httpsProxy: url, noProxy: '' });

  test('an upstream is asked by way of it, with the credentials of its address', async () => {
    const fetch = createFetch(5, proxyFor());
    const answer = await fetch('http://api.example/v1/models?a=1', { headers: { 'x-a': 'b' } });
    expect(await answer.text()).toBe('GET /v1/models?a=1 of api.example');
    expect(proxy.seen.at(-1)).toBe('GET http://api.example/v1/models?a=1 (api.example)');
    expect(proxy.auth.at(-1)).toBe(`Basic ${Buffer.from('me:p@ss').toString('base64')}`);
    await fetch.close();
  });

  test('an https upstream is asked through a tunnel', async () => {
    const fetch = createFetch(5, proxyFor());
    await fetch('https://api.example/v1/models', {}).catch(() => {});
    expect(proxy.seen.at(-1)).toBe('CONNECT api.example:443');
    await fetch.close();
  });

  test('addresses of this machine are reached directly', async () => {
    const before = proxy.seen.length;
    const fetch = createFetch(5, proxyFor());
    expect(await (await fetch(`http://127.0.0.1:${port}/x`, {})).text()).toContain('GET /x');
    expect(proxy.seen).toHaveLength(before);
    await fetch.close();
  });

  test('a file is asked for by its checked address, under its own name', async () => {
    const { fetchPublic } = createPublicHttp(
      (_, __, callback) => callback(null, [{ address: '93.184.216.34', family: 4 }]),
      proxyFor(),
    );
    const answer = await fetchPublic(new URL('http://files.example/a.png'), {}, false);
    expect(await answer.text()).toBe('GET /a.png of files.example');
    expect(proxy.seen.at(-1)).toBe('GET http://93.184.216.34/a.png (files.example)');
  });

  test('a name that leads to a private address is refused before the proxy sees it', async () => {
    const before = proxy.seen.length;
    const { fetchPublic } = createPublicHttp(
      (_, __, callback) => callback(null, [{ address: '10.0.0.1', family: 4 }]),
      proxyFor(),
    );
    await expect(fetchPublic(new URL('http://files.example/a.png'), {}, false)).rejects.toThrow('private');
    expect(proxy.seen).toHaveLength(before);
  });

  test('a relayed request goes through it with all its header lines', async () => {
    const pools = new Pools(proxyFor());
    const timeouts = { connect: 5, firstByte: 0, idle: 0, total: 0 };
    const body = await new Promise<string>((resolve, reject) => {
      let text = '';
      const method = 'GET' as const;
      const headers = ['host', 'api.example', 'X-Line', 'one', 'X-Line', 'two'];
      pools.for('http://api.example', timeouts).dispatch(
        { method, path: '/v1/models?a=1', headers },
        {
          onRequestStart: () => {},
          onResponseStart: () => {},
          onResponseData: (_, chunk) => {
            text += chunk;
          },
          onResponseEnd: () => resolve(text),
          onResponseError: (_, error) => reject(error),
        },
      );
    });
    expect(body).toBe('GET /v1/models?a=1 of api.example with one, two');
    expect(proxy.seen.at(-1)).toBe('GET http://api.example/v1/models?a=1 (api.example)');
    await pools.close();
  });

  const lookingUp = (address: string) =>
    createPublicHttp((_, __, callback) => callback(null, [{ address, family: 4 }]), proxyFor());
  const firstMessage = (socket: WebSocket) =>
    new Promise((resolve, reject) => {
      socket.addEventListener('message', ({ data }) => resolve(data));
      socket.addEventListener('error', reject);
    });

  test.each([
    ['its checked address', false, '93.184.216.34'],
    ['its name, if private addresses are allowed', true, 'api.example'],
  ])('a WebSocket goes through a tunnel to %s', async (_, allowPrivate, host) => {
    const socket = lookingUp('93.184.216.34').openSocket(new URL('ws://api.example/socket'), allowPrivate);
    expect(await firstMessage(socket)).toBe('hello');
    socket.close();
    expect(proxy.seen.at(-1)).toBe(`CONNECT ${host}:80`);
    expect(handshakes.at(-1)).toBe('api.example');
  });

  test('a WebSocket to a private address is refused before the proxy sees it', async () => {
    const before = proxy.seen.length;
    const socket = lookingUp('10.0.0.1').openSocket(new URL('ws://api.example/socket'), false);
    await expect(firstMessage(socket)).rejects.toBeDefined();
    expect(proxy.seen).toHaveLength(before);
  });

  test('a SOCKS5 proxy works too', async () => {
    const names: string[] = [];
    const socks = createTcpServer((client) => {
      client.on('error', () => {});
      client.once('data', () => {
        client.write(Buffer.from([5, 0]));
        client.once('data', (asked: Buffer) => {
          names.push(asked.subarray(5, asked.length - 2).toString());
          const onward = connect(port, '127.0.0.1', () => {
            client.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
            client.pipe(onward).pipe(client);
          });
          onward.on('error', () => {});
        });
      });
    });
    const socksPort = await listening(socks);
    const fetch = createFetch(5, proxyFor(`socks5://127.0.0.1:${socksPort}`));
    expect(await (await fetch('http://api.example/x', {})).text()).toBe('GET /x of api.example');
    expect(names).toEqual(['api.example']);
    await fetch.close();
    socks.close();
  });
});
