import type { Failure } from '../../http/failure.ts';
import { headerOf, type RawHeaders } from '../../http/headers.ts';
import { toHeaders, toPairs } from '../../http/raw-headers.ts';
import { faults, type UpstreamFault } from '../../relay/errors.ts';
import type { Relay, Tunnel, UpstreamRequest } from '../../relay/relay.ts';
import type { Transfer } from '../../relay/transfer.ts';
import type { Wire } from '../../relay/wire.ts';
import { failureResponse, nullBodyStatuses } from '../../reply.ts';
import { type ChunkReader, chunkReader } from '../../streams/read-chunks.ts';
import { BodyPipe, type CreatePipe } from './body-pipe.ts';

/** The request body, if the plan has none. */
export type CallersBody = Uint8Array | ReadableStream<Uint8Array> | null;

export type FetchWireOptions = {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** A pipe of the runtime's own; the standard's if there is none. */
  readonly createPipe?: CreatePipe;
  /**
   * Chunks of a body that are seen here before the runtime carries the rest unseen. All of them if
   * undefined.
   */
  readonly watchedChunks?: number;
};

/** Responses of a known length up to this size are given to the runtime in one piece. */
const smallBytes = 64 * 1024;

const standardPipe: CreatePipe = () => new TransformStream<Uint8Array, Uint8Array>();

type Collected = { readonly init: ResponseInit; readonly chunks: Uint8Array[] };

/** A transfer's wire for any runtime: `fetch` on one side, a `Response` on the other. */
export class FetchWire implements Wire {
  readonly #plan: Relay | Tunnel;
  readonly #addedHeaders: RawHeaders;
  readonly #options: FetchWireOptions;
  readonly #answered = Promise.withResolvers<Response>();
  readonly #finished = Promise.withResolvers<void>();
  #transfer: Transfer | null = null;
  #controller: AbortController | null = null;
  #upstream: Response | null = null;
  #reader: ChunkReader | null = null;
  #pipe: BodyPipe | null = null;
  /** A short response is collected, and leaves as head and body in one piece. */
  #collected: Collected | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  body: CallersBody = null;
  readonly isUploadBlocked = true;

  constructor(plan: Relay | Tunnel, addedHeaders: RawHeaders, options: FetchWireOptions) {
    this.#plan = plan;
    this.#addedHeaders = addedHeaders;
    this.#options = options;
  }

  /** The response for the caller, as soon as its head is known. */
  get response(): Promise<Response> {
    return this.#answered.promise;
  }

  /** Resolves when the transfer is over. The runtime must be kept awake until then. */
  get finished(): Promise<void> {
    return this.#finished.promise;
  }

  attach(transfer: Transfer): void {
    this.#transfer = transfer;
  }

  get isBlocked(): boolean {
    return this.#pipe?.isBlocked ?? false;
  }

  now(): number {
    return performance.now();
  }

  send(request: UpstreamRequest): void {
    const controller = new AbortController();
    this.#controller = controller;
    const isCurrent = (): boolean => this.#controller === controller;
    this.#options.fetch(request.origin + request.path, this.#requestInit(request, controller.signal)).then(
      (response) => {
        if (isCurrent()) this.#arrived(response);
        else void response.body?.cancel().catch(() => {});
      },
      (error: unknown) => {
        if (isCurrent()) this.#fault(faults.noAnswerOrUnreachable(error));
      },
    );
  }

  abort(reason: Error): void {
    const reader = this.#reader;
    this.#controller?.abort(reason);
    this.#controller = null;
    this.#reader = null;
    if (reader) void reader.cancel(reason).catch(() => {});
    else if (this.#upstream?.body && !this.#upstream.body.locked)
      void this.#upstream.body.cancel(reason).catch(() => {});
    this.#upstream = null;
  }

  writeHead(status: number, headers: RawHeaders): void {
    const init = { status, headers: toHeaders(headers) };
    const socket = (this.#upstream as (Response & { webSocket?: unknown }) | null)?.webSocket;
    if (status === 101 && socket)
      return this.#answered.resolve(new Response(null, { ...init, webSocket: socket } as ResponseInit));
    if (this.#plan.method === 'HEAD' || nullBodyStatuses.has(status))
      return this.#answered.resolve(new Response(null, init));
    if (headerOf(headers, 'content-encoding') !== undefined)
      return this.#answered.resolve(new Response(this.#upstream?.body ?? null, init));
    const length = Number(headerOf(headers, 'content-length') ?? Number.NaN);
    if (length <= smallBytes) {
      this.#collected = { init, chunks: [] };
      return;
    }
    this.#pipe = new BodyPipe((this.#options.createPipe ?? standardPipe)(), () =>
      this.#transfer?.clientClosed(),
    );
    this.#answered.resolve(new Response(this.#pipe.readable, init));
  }

  write(chunk: Uint8Array): void {
    if (this.#collected) this.#collected.chunks.push(chunk);
    else this.#pipe?.write(chunk);
  }

  finish(): void {
    if (this.#collected) this.#sendCollected(this.#collected);
    else this.#pipe?.close();
  }

  cut(): void {
    // Nothing of a collected response has left, so it can still be an honest error.
    if (this.#collected) this.#answered.resolve(this.#errorResponse(faults.brokeOff().failure));
    else if (this.#pipe) this.#pipe.abort(new Error('the response is incomplete'));
    else this.#answered.resolve(this.#errorResponse(faults.noAnswer().failure));
  }

  refuse(failure: Failure): void {
    this.#answered.resolve(this.#errorResponse(failure));
  }

  readOn(): void {
    this.#pipe?.discard();
  }

  wake(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#transfer?.tick(this.now()), ms);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#controller = null;
    // A client that left before the head gets no response; the runtime still wants one.
    this.#answered.resolve(new Response(null, { status: 499 }));
    this.#finished.resolve();
  }

  #arrived(response: Response): void {
    const transfer = this.#transfer as Transfer;
    this.#upstream = response;
    const socket = (response as Response & { webSocket?: unknown }).webSocket;
    if (this.#plan.kind === 'tunnel' && response.status === 101 && socket) {
      transfer.upgraded(101, toPairs(response.headers));
      // The runtime joins the sockets by itself, and does not tell when they close.
      return transfer.end();
    }
    // The runtime unpacks what JavaScript reads. Left alone, it passes the compressed bytes
    // through.
    const isOpaque = response.status < 400 && response.headers.has('content-encoding');
    transfer.head(response.status, headersOf(response, isOpaque), isOpaque);
    if (this.#upstream !== response) return;
    if (response.body === null) return transfer.end();
    if (isOpaque) {
      transfer.unwatched();
      return transfer.end();
    }
    this.#reader = chunkReader(response.body);
    void this.#read(response, response.body, this.#reader);
  }

  /** Reads the body as fast as the client takes it, until the runtime can carry the rest. */
  async #read(response: Response, body: ReadableStream<Uint8Array>, reader: ChunkReader): Promise<void> {
    const transfer = this.#transfer as Transfer;
    const isCurrent = (): boolean => this.#upstream === response && this.#reader === reader;
    let left = this.#options.watchedChunks ?? Number.POSITIVE_INFINITY;
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (!isCurrent()) return;
        if (done) return transfer.end();
        transfer.data(value);
        if (!isCurrent()) return;
        if (this.#pipe) {
          await this.#pipe.ready;
          if (!isCurrent()) return;
          if (--left <= 0 && transfer.state === 'streaming') return await this.#handOver(body, reader);
        }
      }
    } catch (error) {
      if (isCurrent()) this.#fault(faults.brokeOff(error));
    }
  }

  /** Lets the runtime carry the rest: that costs nothing for each chunk. */
  async #handOver(body: ReadableStream<Uint8Array>, reader: ChunkReader): Promise<void> {
    const transfer = this.#transfer as Transfer;
    const pipe = this.#pipe as BodyPipe;
    transfer.unwatched();
    reader.releaseLock();
    const result = await pipe.takeOver(body, this.#controller?.signal);
    if (transfer.state === 'closed') return;
    if (result === 'done') transfer.end();
    else if (result === 'client') transfer.clientClosed();
    else this.#fault(faults.brokeOff(result));
  }

  #fault(fault: UpstreamFault): void {
    this.#controller = null;
    this.#reader = null;
    this.#upstream = null;
    this.#transfer?.error(fault);
  }

  #sendCollected({ init, chunks }: Collected): void {
    const body = chunks.length === 1 ? (chunks[0] as BufferSource) : new Blob(chunks as BlobPart[]);
    this.#answered.resolve(new Response(body, init));
  }

  #errorResponse(failure: Failure): Response {
    const response = failureResponse(failure);
    for (let i = 0; i < this.#addedHeaders.length; i += 2)
      response.headers.append(this.#addedHeaders[i] as string, this.#addedHeaders[i + 1] as string);
    return response;
  }

  #requestInit(request: UpstreamRequest, signal: AbortSignal): RequestInit {
    const headers = toHeaders(request.headers);
    if (this.#plan.kind === 'tunnel') headers.set('upgrade', 'websocket');
    const body = request.body === 'incoming' ? this.body : request.body;
    const init: RequestInit & { duplex?: 'half' } = {
      method: this.#plan.method,
      headers,
      signal,
      redirect: 'manual',
    };
    if (body !== null) {
      init.body = body as BodyInit;
      if (body instanceof ReadableStream) init.duplex = 'half';
    }
    return init;
  }
}

/** The head of a response whose body JavaScript reads: unpacked, so its length is another one. */
function headersOf(response: Response, isOpaque: boolean): RawHeaders {
  if (isOpaque || !response.headers.has('content-encoding')) return toPairs(response.headers);
  const headers = new Headers(response.headers);
  headers.delete('content-encoding');
  headers.delete('content-length');
  return toPairs(headers);
}
