import type { IncomingHttpHeaders } from 'node:http';
import { pipeline, Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import type { Dispatcher } from 'undici';
import { toHeaders } from '../../http/raw-headers.ts';
import type { Http } from '../../ports/http.ts';
import { nullBodyStatuses } from '../../reply.ts';
import { pairsOf } from './header-pairs.ts';
import { connectionsToAll, type PoolOptions, type ProxyFor } from './outbound-proxy.ts';

/** Bytes that wait to be read before the connection is paused. */
const highWaterMark = 128 * 1024;

/**
 * `fetch` for upstreams, over undici's `dispatch`. What arrives in one read of the socket is one
 * chunk here; undici's own `fetch` gives one for each HTTP chunk, that is for each event of a
 * stream. Never follows a redirect, has no cookies, and no timers but the connection's.
 */
export function createFetch(
  connectSeconds: number,
  proxyFor: ProxyFor = () => null,
): Http['fetch'] & { close(): Promise<void> } {
  const options: PoolOptions = {
    connect: { timeout: connectSeconds * 1000 },
    headersTimeout: 0,
    bodyTimeout: 0,
    allowH2: false,
    pipelining: 1,
  };
  const agent = connectionsToAll(options, proxyFor);
  /** Never reuses a connection. */
  const unpooled = connectionsToAll({ ...options, pipelining: 0 }, proxyFor);
  const fetchUpstream: Http['fetch'] = (address, init, newConnection = false) =>
    new Promise<Response>((resolve, reject) => {
      const { origin, pathname, search } = new URL(address);
      const signal = init.signal ?? null;
      if (signal?.aborted) return reject(signal.reason);
      const request: Dispatcher.DispatchOptions = {
        origin,
        path: pathname + search,
        method: (init.method ?? 'GET') as Dispatcher.HttpMethod,
        headers: [...new Headers(init.headers)].flat(),
        body: (init.body ?? null) as Dispatcher.DispatchOptions['body'] & object,
      };
      const handler = new ResponseHandler(signal, resolve, reject);
      (newConnection ? unpooled : agent).dispatch(request, handler);
    });
  const close = async (): Promise<void> => {
    await Promise.all([agent.destroy(), unpooled.destroy()]);
  };
  return Object.assign(fetchUpstream, { close });
}

/** Turns one response, as undici gives it, into a `Response`. */
class ResponseHandler implements Dispatcher.DispatchHandler {
  readonly #signal: AbortSignal | null;
  readonly #resolve: (response: Response) => void;
  readonly #reject: (error: unknown) => void;
  #connection: Dispatcher.DispatchController | null = null;
  #body: ReadableStreamDefaultController<Uint8Array> | null = null;
  #chunks: Buffer[] = [];
  #bufferedBytes = 0;
  /** Whether the reader waits for a chunk. */
  #isPulled = false;
  #flushing = false;
  #ended = false;
  /** What broke the body off. The reader gets all bytes that came before it first. */
  #error: Error | null = null;

  constructor(
    signal: AbortSignal | null,
    resolve: (response: Response) => void,
    reject: (error: unknown) => void,
  ) {
    this.#signal = signal;
    this.#resolve = resolve;
    this.#reject = reject;
    signal?.addEventListener('abort', this.#abort, { once: true });
  }

  readonly #abort = (): void => {
    const reason: unknown = this.#signal?.reason;
    this.#fail(reason);
    this.#connection?.abort(reason instanceof Error ? reason : new Error('aborted', { cause: reason }));
  };

  onRequestStart(connection: Dispatcher.DispatchController): void {
    this.#connection = connection;
    if (this.#signal?.aborted) this.#abort();
  }

  onResponseStart(
    connection: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    if (status < 200) return;
    // A throw in here would only end inside undici: the request would have no answer at all.
    try {
      if (status > 599) throw new RangeError(`status ${status}`);
      const ownHeaders = toHeaders(pairsOf(headers));
      const isEmpty = nullBodyStatuses.has(status);
      const body = isEmpty ? null : decompress(this.#stream(connection), ownHeaders);
      // No reason phrase: it may hold bytes that a `Response` does not allow, and nothing reads it.
      this.#resolve(new Response(body, { status, headers: ownHeaders }));
    } catch (error) {
      const cause = invalidHead(error);
      this.#fail(new TypeError('fetch failed', { cause }));
      connection.abort(cause);
    }
  }

  #stream(connection: Dispatcher.DispatchController): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        start: (body) => {
          this.#body = body;
        },
        pull: () => {
          this.#isPulled = true;
          this.#flush();
          if (connection.paused) connection.resume();
        },
        cancel: (reason) => {
          this.#end();
          connection.abort(reason instanceof Error ? reason : new Error('not read to its end'));
        },
      },
      { highWaterMark: 0 },
    );
  }

  onResponseData(connection: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bufferedBytes += chunk.length;
    if (this.#bufferedBytes >= highWaterMark) connection.pause();
    if (!this.#isPulled || this.#flushing) return;
    // Not before all of this read of the socket was parsed.
    this.#flushing = true;
    queueMicrotask(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  onResponseEnd(): void {
    this.#ended = true;
    this.#flush();
  }

  onResponseError(_: Dispatcher.DispatchController | null, error: Error): void {
    this.#error = new TypeError('fetch failed', { cause: error });
    if (this.#body === null) this.#fail(this.#error);
    else this.#flush();
  }

  #flush(): void {
    if (this.#bufferedBytes > 0 && (this.#isPulled || this.#ended)) {
      this.#isPulled = false;
      const [first] = this.#chunks;
      this.#body?.enqueue(first && this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks));
      this.#chunks = [];
      this.#bufferedBytes = 0;
    } else if (this.#error && this.#isPulled) return this.#fail(this.#error);
    if (!this.#ended || this.#bufferedBytes > 0) return;
    const body = this.#body;
    this.#end();
    body?.close();
  }

  #fail(error: unknown): void {
    const body = this.#body;
    this.#end();
    this.#reject(error);
    body?.error(error);
  }

  #end(): void {
    this.#body = null;
    this.#chunks = [];
    this.#bufferedBytes = 0;
    this.#signal?.removeEventListener('abort', this.#abort);
  }
}

/** A status or header that a `Response` cannot have. `readConnectionError` knows the code. */
function invalidHead(cause: unknown): Error {
  return Object.assign(new Error('invalid response head', { cause }), { code: 'INVALID_RESPONSE_HEAD' });
}

const decompressors = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
};

/**
 * The body without its content-encoding. Some upstreams compress without being asked. The headers
 * that describe the compressed body are removed.
 */
function decompress(body: ReadableStream<Uint8Array>, headers: Headers): ReadableStream<Uint8Array> {
  const encoding = (headers.get('content-encoding') ?? '').trim().toLowerCase();
  // The name comes from the upstream: `constructor` must not find one of Object's own.
  if (!Object.hasOwn(decompressors, encoding)) return body;
  headers.delete('content-encoding');
  headers.delete('content-length');
  const compressed = Readable.fromWeb(body as import('node:stream/web').ReadableStream);
  const plain = decompressors[encoding as keyof typeof decompressors]();
  // An error destroys both; the reader of `plain` gets it.
  pipeline(compressed, plain, () => {});
  return Readable.toWeb(plain) as ReadableStream<Uint8Array>;
}
