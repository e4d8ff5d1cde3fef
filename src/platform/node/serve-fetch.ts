import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream as NodeReadableStream } from 'node:stream/web';
import { toHeaders, toPairs } from '../../http/raw-headers.ts';

type Handler = (request: Request) => Promise<Response>;

/** Serves a fetch handler over HTTP, streaming both ways. For the emulator; the gateway has its own, faster server. */
export function serveFetch(handler: Handler): Server {
  return createServer((request, response) => {
    handle(handler, request, response).catch(() => response.destroy());
  });
}

async function handle(handler: Handler, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const left = new AbortController();
  response.once('close', () => left.abort());
  const method = request.method ?? 'GET';
  const init: RequestInit & { duplex: 'half' } = {
    method,
    headers: toHeaders(request.rawHeaders),
    signal: left.signal,
    duplex: 'half',
  };
  if (method !== 'GET' && method !== 'HEAD')
    init.body = Readable.toWeb(request) as ReadableStream<Uint8Array>;
  const answer = await handler(
    new Request(`http://${request.headers.host ?? 'localhost'}${request.url}`, init),
  );
  response.writeHead(answer.status, [...toPairs(answer.headers)]);
  if (answer.body === null) return void response.end();
  response.flushHeaders();
  await pipeline(Readable.fromWeb(answer.body as NodeReadableStream), response);
}
