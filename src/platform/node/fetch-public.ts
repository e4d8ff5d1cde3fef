import { type LookupAddress, lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { Readable } from 'node:stream';
import { Agent, request } from 'undici';
import { forbidden } from '../../http/guarded-fetch.ts';
import { isPublicAddress } from '../../http/public-address.ts';
import { toHeaders } from '../../http/raw-headers.ts';
import { nullBodyStatuses } from '../../reply.ts';
import { pairsOf } from './header-pairs.ts';

/** How names are resolved: `dns.lookup`, or a test's own. */
type Resolve = (
  hostname: string,
  options: object,
  callback: (error: Error | null, found: LookupAddress[]) => void,
) => void;

/**
 * Resolves a name to its public addresses alone. The connection is made to what is given here and to nothing else, so that a name cannot
 * mean another machine a moment later.
 */
function publicLookup(resolve: Resolve): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, '');
      const open = found.filter(({ address }) => isPublicAddress(address));
      const [first] = open;
      if (!first) return callback(forbidden(), '');
      if (options.all) callback(null, open);
      else callback(null, first.address, first.family);
    });
  };
}

const common = { keepAliveTimeout: 10_000, connections: 64, maxHeaderSize: 32 * 1024 } as const;

/** `fetch` for addresses that somebody gave: without cookies, without redirects, with a look at what each name resolves to. */
export function createPublicFetch(resolve: Resolve = lookup as Resolve) {
  const guarded = new Agent({ ...common, connect: { lookup: publicLookup(resolve), timeout: 10_000 } });
  const open = new Agent({ ...common, connect: { timeout: 10_000 } });
  return async (url: URL, init: RequestInit, allowPrivate: boolean): Promise<Response> => {
    const { statusCode, headers, body } = await request(url, {
      method: (init.method ?? 'GET') as 'GET',
      headers: init.headers as Record<string, string>,
      body: (init.body as Uint8Array | undefined) ?? null,
      signal: init.signal ?? null,
      dispatcher: allowPrivate ? open : guarded,
    });
    if (nullBodyStatuses.has(statusCode)) body.on('error', () => {}).resume();
    return new Response(nullBodyStatuses.has(statusCode) ? null : webStream(body), {
      status: statusCode < 200 ? 502 : statusCode,
      headers: toHeaders(pairsOf(headers)),
    });
  };
}

/** A body as a web stream, read only as fast as it is asked for: cheaper than `Readable.toWeb`, which keeps a queue of its own. */
function webStream(body: Readable): ReadableStream<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]();
  // An error that nobody reads for is nobody's: whoever reads gets it by the iterator.
  body.on('error', () => {});
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel(reason) {
        body.destroy(reason instanceof Error ? reason : undefined);
      },
    },
    { highWaterMark: 0 },
  );
}
