import { Failure } from '../../http/failure.ts';
import { bodyTooLarge } from '../../http/json-body.ts';
import { toPairs } from '../../http/raw-headers.ts';
import type { Incoming } from '../../http/request.ts';
import { readAll } from '../../streams/read-all.ts';

/** A web-standard request as the gateway takes it. */
export function webIncoming(request: Request): Incoming {
  // Cut from the text as it came: a parsed URL would have resolved what must be refused, and costs
  // more.
  const { url } = request;
  const host = url.indexOf('//') + 2;
  const path = url.indexOf('/', host);
  const fragment = url.indexOf('#', path);
  return {
    head: {
      method: request.method,
      target: url.slice(path, fragment < 0 ? undefined : fragment),
      rawHeaders: toPairs(request.headers),
      // A request that never was on a wire has its host in its address alone.
      get: (name) => request.headers.get(name) ?? (name === 'host' ? url.slice(host, path) : undefined),
    },
    scheme: url.startsWith('https:') ? 'https' : 'http',
    // Cloudflare sets it on every request; a client cannot.
    peerAddress: request.headers.get('cf-connecting-ip') ?? undefined,
    hasBody: request.body !== null,
    signal: request.signal,
    stream: () => request.body as ReadableStream<Uint8Array> | null,
    read: (limit, onBytes) => readBody(request, limit, onBytes),
  };
}

function readBody(
  request: Request,
  limit: number,
  onBytes: (bytes: number) => void = () => {},
): Promise<Uint8Array> {
  const body = request.body as ReadableStream<Uint8Array> | null;
  return readAll(body, limit, () => bodyTooLarge(limit), onBytes).catch((error: unknown) => {
    throw error instanceof Failure ? error : callerLeft(error);
  });
}

function callerLeft(cause: unknown): Failure {
  return new Failure('invalid_request', 'The caller left before its body was whole.', { cause });
}
