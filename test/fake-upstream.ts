import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { WebSocketServer } from 'ws';

/** What an upstream received of one request. */
export type Seen = {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly rawHeaders: readonly string[];
  bytes: number;
  sha256: string | null;
  /** The gateway closed the connection before the response was complete. */
  aborted: boolean;
  abortedAt: number | null;
};

export type FakeUpstream = {
  readonly url: string;
  readonly seen: Seen[];
  last(): Seen;
  clear(): void;
  stop(): Promise<void>;
};

type Behave = (
  request: IncomingMessage,
  response: ServerResponse,
  query: URLSearchParams,
  seen: Seen,
) => Promise<void> | void;

const event = (text: string) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: text } }] })}\n\n`;
const eventStream = { 'content-type': 'text/event-stream' };

/** The behaviour of each path, for any method. */
const behaviours: Readonly<Record<string, Behave>> = {
  '/v1/echo': (request, response) => {
    response.writeHead(200, {
      'content-type': request.headers['content-type'] ?? 'application/octet-stream',
    });
    request.pipe(response);
  },
  '/v1/sink': async (request, response, _query, seen) => {
    const hash = createHash('sha256');
    for await (const chunk of request) hash.update(chunk as Buffer);
    seen.sha256 = hash.digest('hex');
    response.end(JSON.stringify({ sha256: seen.sha256, bytes: seen.bytes }));
  },
  '/v1/headers': (request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({ rawHeaders: request.rawHeaders, url: request.url, method: request.method }),
    );
  },
  '/v1/models': (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({
        object: 'list',
        data: [{ id: 'fake-1', object: 'model', created: 1, owned_by: 'fake', extra: 'kept' }],
      }),
    );
  },
  '/v1/status': async (_request, response, query) => {
    const headers: Record<string, string | string[]> = { 'content-type': 'application/json' };
    for (const [name, value] of query) if (name.startsWith('h.')) headers[name.slice(2)] = value;
    response.writeHead(Number(query.get('code') ?? 200), headers);
    response.end(query.get('body') ?? '{"fake":true}');
  },
  '/v1/cookies': (_request, response) => {
    response.writeHead(200, {
      'set-cookie': ['a=1', 'b=2'],
      'access-control-allow-origin': 'https://upstream.example',
      'x-ratelimit-remaining-requests': '9',
      'x-request-id': 'req_upstream',
      'alt-svc': 'h3=":443"',
      connection: 'x-secret-hop',
      'x-secret-hop': 'hop',
    });
    response.end('ok');
  },
  '/v1/gzip': (_request, response) => {
    const body = gzipSync(Buffer.from('compressed '.repeat(1000)));
    response.writeHead(200, {
      'content-type': 'text/plain',
      'content-encoding': 'gzip',
      'content-length': body.length,
    });
    response.end(body);
  },
  '/v1/redirect': (_request, response, query) => {
    response.writeHead(Number(query.get('code') ?? 302), { location: query.get('to') ?? '/' });
    response.end('moved');
  },
  '/v1/loop': (_request, response) => {
    response.writeHead(302, { location: '/v1/loop' });
    response.end();
  },
  '/v1/sse': async (_request, response, query) => {
    response.writeHead(200, eventStream);
    for (let i = 0; i < Number(query.get('n') ?? 3); i++) {
      response.write(event(`part ${i} `));
      await sleep(Number(query.get('gap') ?? 5));
    }
    response.end('data: [DONE]\n\n');
  },
  '/v1/sse-exact': async (_request, response, query) => {
    response.writeHead(200, eventStream);
    for (const piece of JSON.parse(query.get('pieces') ?? '[]') as string[]) {
      response.write(Buffer.from(piece, 'base64'));
      await sleep(Number(query.get('gap') ?? 1));
    }
    response.end();
  },
  '/v1/sse-die': async (_request, response, query) => {
    response.writeHead(200, eventStream);
    response.write(query.get('half') === '1' ? 'data: {"choices":[{"delta":{"con' : event('one'));
    await sleep(20);
    response.destroy();
  },
  '/v1/sse-silent': async (_request, response, query) => {
    response.writeHead(200, eventStream);
    response.write(query.get('half') === '1' ? 'data: {"a":' : event('one'));
    await sleep(Number(query.get('ms') ?? 2500));
    response.end(query.get('half') === '1' ? '1}\n\n' : 'data: [DONE]\n\n');
  },
  '/v1/hang': () => new Promise(() => {}),
  '/v1/never-reads': ({ socket }) => {
    const body =
      '{"error":{"message":"too big for me","type":"invalid_request_error","param":null,"code":null}}';
    socket.write(
      `HTTP/1.1 413 Payload Too Large\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
    );
    // Waits before it closes. A reset at once could discard the response.
    setTimeout(() => socket.destroy(), 100);
  },
  '/v1/reset': (request) => void request.socket.destroy(),
  '/v1/die-midway': async (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': 1000 });
    response.write(Buffer.alloc(100));
    await sleep(20);
    response.destroy();
  },
  '/v1/big': async (_request, response, query) => {
    const total = Number(query.get('bytes') ?? 1e6);
    const chunk = Buffer.alloc(64 * 1024, 'sluice');
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': total });
    for (let sent = 0; sent < total; sent += chunk.length) {
      if (response.destroyed) return;
      if (!response.write(chunk.subarray(0, Math.min(chunk.length, total - sent)))) {
        await drainOrClose(response);
      }
    }
    response.end();
  },
};

/** A real HTTP server whose behaviour depends on the path. `/v1/realtime` echoes over WebSocket. */
export async function startFakeUpstream(): Promise<FakeUpstream> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://upstream');
    const facts = note(request);
    seen.push(facts);
    request.on('data', (chunk: Buffer) => {
      facts.bytes += chunk.length;
    });
    request.pause();
    response.on('close', () => {
      facts.aborted = !response.writableFinished;
      facts.abortedAt = facts.aborted ? Date.now() : null;
    });
    const behave = behaviours[url.pathname] ?? behaviours['/v1/headers'];
    Promise.resolve(behave?.(request, response, url.searchParams, facts)).catch(() => response.destroy());
  });
  const sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => (offered.has('realtime') ? 'realtime' : false),
  });
  server.on('upgrade', (request, socket, head) => {
    seen.push(note(request));
    if (!request.url?.startsWith('/v1/realtime'))
      return void socket.end('HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno');
    sockets.handleUpgrade(request, socket, head, (peer) => {
      peer.send('welcome');
      // At this message it ends without a closing handshake, like a killed process.
      peer.on('message', (data, binary) =>
        String(data) === 'die' ? peer.terminate() : peer.send(data, { binary }),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    last: () => {
      const last = seen.at(-1);
      if (!last) throw new Error('the upstream was not asked');
      return last;
    },
    clear: () => {
      seen.length = 0;
    },
    stop: () => stop(server),
  };
}

function drainOrClose(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.once('drain', done).once('close', done);
  });
}

function note(request: IncomingMessage): Seen {
  return {
    method: request.method ?? '',
    url: request.url ?? '',
    headers: request.headers,
    rawHeaders: request.rawHeaders,
    bytes: 0,
    sha256: null,
    aborted: false,
    abortedAt: null,
  };
}

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
