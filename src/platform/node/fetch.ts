import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import { Agent, type Dispatcher } from 'undici';
import { toHeaders } from '../../http/raw-headers.ts';
import type { Http } from '../../ports/http.ts';
import { nullBodyStatuses } from '../../reply.ts';
import { pairsOf } from './header-pairs.ts';

/** As much of a body as waits to be read before its connection is asked to wait, in bytes. */
const highWaterMark = 128 * 1024;

/**
 * `fetch` for upstreams, over undici's `dispatch`: what arrives in one read of the socket is one chunk here, where undici's own gives one for each
 * HTTP chunk, that is for each event of a stream. Never follows a redirect, has no cookies, and no timers but the connection's.
 */
export function createFetch(connectSeconds: number): Http['fetch'] & { close(): Promise<void> } {
  const agent = new Agent({
    connect: { timeout: connectSeconds * 1000 },
    headersTimeout: 0,
    bodyTimeout: 0,
    allowH2: false,
    pipelining: 1,
  });
  const ask: Http['fetch'] = (address, init) =>
    new Promise<Response>((resolve, reject) => {
      const { origin, pathname, search } = new URL(address);
      const signal = init.signal ?? null;
      if (signal?.aborted) return reject(signal.reason);
      const options: Dispatcher.DispatchOptions = {
        origin,
        path: pathname + search,
        method: (init.method ?? 'GET') as Dispatcher.HttpMethod,
        headers: [...new Headers(init.headers)].flat(),
        body: (init.body ?? null) as Dispatcher.DispatchOptions['body'] & object,
      };
      agent.dispatch(options, new Answering(signal, resolve, reject));
    });
  return Object.assign(ask, { close: () => agent.destroy() });
}

/** One answer as it arrives, on its way into a `Response`. */
class Answering implements Dispatcher.DispatchHandler {
  readonly #signal: AbortSignal | null;
  readonly #resolve: (answer: Response) => void;
  readonly #reject: (error: unknown) => void;
  #connection: Dispatcher.DispatchController | null = null;
  #body: ReadableStreamDefaultController<Uint8Array> | null = null;
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** Whether the reader waits for a chunk. */
  #wanted = false;
  #flushing = false;
  #ended = false;
  /** What broke the answer off, told once all that came before was read. */
  #broken: Error | null = null;

  constructor(
    signal: AbortSignal | null,
    resolve: (answer: Response) => void,
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
    statusText = '',
  ): void {
    if (status < 200) return;
    const answer = toHeaders(pairsOf(headers));
    const stream = nullBodyStatuses.has(status) ? null : unpacked(this.#stream(connection), answer);
    this.#resolve(new Response(stream, { status, statusText, headers: answer }));
  }

  #stream(connection: Dispatcher.DispatchController): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        start: (body) => {
          this.#body = body;
        },
        pull: () => {
          this.#wanted = true;
          this.#flush();
          if (connection.paused) connection.resume();
        },
        cancel: (reason) => {
          this.#over();
          connection.abort(reason instanceof Error ? reason : new Error('not read to its end'));
        },
      },
      { highWaterMark: 0 },
    );
  }

  onResponseData(connection: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes >= highWaterMark) connection.pause();
    if (!this.#wanted || this.#flushing) return;
    // Not before all of this read of the socket was taken apart.
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
    this.#broken = new TypeError('fetch failed', { cause: error });
    if (this.#body === null) this.#fail(this.#broken);
    else this.#flush();
  }

  #flush(): void {
    if (this.#heldBytes > 0 && (this.#wanted || this.#ended)) {
      this.#wanted = false;
      this.#body?.enqueue(this.#held.length === 1 ? (this.#held[0] as Buffer) : Buffer.concat(this.#held));
      this.#held = [];
      this.#heldBytes = 0;
    } else if (this.#broken && this.#wanted) return this.#fail(this.#broken);
    if (!this.#ended || this.#heldBytes > 0) return;
    const body = this.#body;
    this.#over();
    body?.close();
  }

  #fail(error: unknown): void {
    const body = this.#body;
    this.#over();
    this.#reject(error);
    body?.error(error);
  }

  #over(): void {
    this.#body = null;
    this.#held = [];
    this.#heldBytes = 0;
    this.#signal?.removeEventListener('abort', this.#abort);
  }
}

const unpackers = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
};

/** The body as it was before it was packed, which some upstreams do without being asked; its headers told of the packed one. */
function unpacked(body: ReadableStream<Uint8Array>, headers: Headers): ReadableStream<Uint8Array> {
  const unpacker = unpackers[(headers.get('content-encoding') ?? '') as keyof typeof unpackers];
  if (!unpacker) return body;
  headers.delete('content-encoding');
  headers.delete('content-length');
  const packed = Readable.fromWeb(body as import('node:stream/web').ReadableStream);
  const plain = packed.on('error', (error) => plain.destroy(error)).pipe(unpacker());
  return Readable.toWeb(plain) as ReadableStream<Uint8Array>;
}
