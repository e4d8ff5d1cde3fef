import { Failure } from '../failure.ts';
import type { Incoming } from '../head.ts';
import { readBounded } from '../read-bounded.ts';
import { toPairs } from './header-pairs.ts';

/** A web-standard request as the gateway takes it. */
export function webIncoming(request: Request): Incoming {
  const { origin, protocol, host } = new URL(request.url);
  // Cut from the text as it came: the parsed URL would have resolved what must be refused.
  const target = request.url.slice(origin.length);
  return {
    head: {
      method: request.method,
      target: target.split('#', 1)[0] as string,
      pairs: toPairs(request.headers),
      // A request that never was on a wire has its host in its address alone.
      get: (name) => request.headers.get(name) ?? (name === 'host' ? host : undefined),
    },
    scheme: protocol === 'https:' ? 'https' : 'http',
    hasBody: request.body !== null,
    signal: request.signal,
    stream: () => request.body as ReadableStream<Uint8Array> | null,
    read: (limit) => readBody(request, limit),
  };
}

function readBody(request: Request, limit: number): Promise<Uint8Array> {
  return readBounded(request.body as ReadableStream<Uint8Array> | null, limit, () => bodyTooLarge(limit));
}

/** The 413 of a body that had to be read and is larger than the settings allow. */
export function bodyTooLarge(limit: number): Failure {
  return new Failure(
    'body_too_large',
    `The request body is larger than ${limit} bytes, the most that is read here. MAX_BODY_BYTES at the gateway sets the limit.`,
  );
}
