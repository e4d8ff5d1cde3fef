import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream as NodeReadableStream } from 'node:stream/web';
import { toHeaders, toPairs } from '../../http/raw-headers.ts';

type Handler = (request: Request) => Promise<Response>;

/**
 * Serves a fetch handler over HTTP, streaming both ways. For the emulator. The gateway has a faster
 * server.
 */
export function serveFetch(handler: Handler): Server {
  return createServer((request, response) => {
    handle(handler, request, response).catch(() => response.destroy());
  });
}

async function handle(handler: Handler, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const controller = new AbortController();
  response.once('close', () => controller.abort());
  const method = request.method ?? 'GET';
  const init: RequestInit & { duplex: 'half' } = {
    method,
    headers: toHeaders(request.rawHeaders),
    signal: controller.signal,
    duplex: 'half',
  };
  if (method !== 'GET' && method !== 'HEAD')
    init.body = Readable.toWeb(request) as ReadableStream<Uint8Array>;
  const url = `http://${request.headers.host ?? 'localhost'}${request.url}`;
  const result = await handler(new Request(url, init));
  response.writeHead(result.status, [...toPairs(result.headers)]);
  if (result.body === null) return void response.end();
  response.flushHeaders();
  await pipeline(Readable.fromWeb(result.body as NodeReadableStream), response);
}
