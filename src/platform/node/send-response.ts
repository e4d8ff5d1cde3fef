import type { IncomingMessage, ServerResponse } from 'node:http';
import type { EndedBy } from '../../http/ended-by.ts';
import { isEventStream, responseHeaders } from '../../http/headers.ts';
import { toPairs } from '../../http/raw-headers.ts';
import type { Exchange } from '../../reply.ts';
import { sendWhole } from './send-failure.ts';
import { piecesOf, StoredBody } from './stores/blob-body.ts';

/** Sends a response that the gateway made, and writes its record however it ends. */
export async function sendResponse(
  reply: Response,
  exchange: Exchange,
  request: IncomingMessage,
  response: ServerResponse,
  gateway: { readonly isCut: boolean },
): Promise<void> {
  const sending = new Sending(reply, exchange, request, response, gateway);
  try {
    await sending.run();
  } catch (error) {
    sending.fail(error);
  }
}

/** One response on its way out. Whatever happens, `#end` runs once. */
class Sending {
  readonly #reply: Response;
  readonly #exchange: Exchange;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #gateway: { readonly isCut: boolean };
  readonly #headers: string[];
  #bytes = 0;
  #firstByteAt: number | null = null;
  #isOver = false;

  constructor(
    reply: Response,
    exchange: Exchange,
    request: IncomingMessage,
    response: ServerResponse,
    gateway: { readonly isCut: boolean },
  ) {
    this.#gateway = gateway;
    this.#reply = reply;
    this.#exchange = exchange;
    this.#request = request;
    this.#response = response;
    const isEvents = isEventStream(reply.headers.get('content-type'));
    this.#headers = responseHeaders(toPairs(reply.headers), exchange.addedHeaders, isEvents);
  }

  async run(): Promise<void> {
    const { body } = this.#reply;
    // A client that left before this line emits no further event.
    if (this.#response.destroyed) return this.#clientLeft();
    this.#response.once('close', this.#onClose);
    if (body === null || isShort(this.#reply)) return this.#sendWhole();
    if (body instanceof StoredBody) return this.#sendBlob(body);
    await this.#sendStream(body);
  }

  fail(error: unknown): void {
    this.#end(this.#response.destroyed ? 'client' : 'gateway', String(error));
    this.#response.destroy();
  }

  async #sendWhole(): Promise<void> {
    const body = this.#reply.body === null ? null : Buffer.from(await this.#reply.arrayBuffer());
    if (this.#isOver) return;
    this.#bytes = body?.length ?? 0;
    this.#firstByteAt = performance.now();
    sendWhole(this.#request, this.#response, this.#reply.status, this.#headers, body);
    // The record is written when the bytes have left, or the client has: see `#onClose`.
    if (this.#response.writableFinished) this.#end('done');
    else this.#response.once('finish', () => this.#end('done'));
  }

  async #sendBlob({ source }: StoredBody): Promise<void> {
    this.#firstByteAt = performance.now();
    this.#response.writeHead(this.#reply.status, this.#headers);
    if (source.kind === 'bytes') {
      this.#bytes = source.bytes.length;
      this.#response.once('finish', () => this.#end('done'));
      this.#response.end(source.bytes);
      return;
    }
    for await (const piece of piecesOf(source)) {
      await written(this.#response, piece);
      this.#bytes += piece.length;
    }
    this.#response.end();
    this.#end('done');
  }

  async #sendStream(body: ReadableStream<Uint8Array>): Promise<void> {
    const response = this.#response;
    response.writeHead(this.#reply.status, this.#headers);
    response.flushHeaders();
    const reader = body.getReader();
    this.#leave = () => void reader.cancel(new Error('the caller left')).catch(() => {});
    for (;;) {
      const { done, value } = await reader.read();
      if (done || this.#isOver) break;
      this.#firstByteAt ??= performance.now();
      this.#bytes += value.length;
      if (!response.write(value)) await drained(response);
    }
    if (this.#isOver) return;
    response.end();
    this.#end('done');
  }

  #leave: () => void = () => {};

  readonly #onClose = (): void => {
    if (!this.#isOver) this.#clientLeft();
  };

  #clientLeft(): void {
    this.#leave();
    if (this.#reply.body && !this.#reply.body.locked) void this.#reply.body.cancel().catch(() => {});
    this.#end(this.#gateway.isCut ? 'gateway' : 'client');
  }

  #end(endedBy: EndedBy, error?: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#response.off('close', this.#onClose);
    const firstByteAt = this.#firstByteAt;
    this.#exchange.end({ status: this.#reply.status, bytes: this.#bytes, firstByteAt, endedBy, error });
  }
}

/** Waits until there is room for more, or the client has left. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      response.off('drain', go).off('close', go);
      resolve();
    };
    response.on('drain', go).on('close', go);
    if (response.destroyed) go();
  });
}

/** Writes a piece and waits until its buffer can be used again. Fails if the client leaves. */
function written(response: ServerResponse, piece: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const left = () => reject(new Error('the caller left'));
    if (response.destroyed) return left();
    response.once('close', left);
    response.write(piece, (error) => {
      response.off('close', left);
      if (error) reject(error);
      else resolve();
    });
  });
}

/** Responses that are whole already: our own JSON, pages. */
function isShort(reply: Response): boolean {
  // A stream of known size gives its length; a stream that is kept open asks proxies not to buffer.
  if (reply.headers.has('x-accel-buffering') || reply.headers.has('content-length')) return false;
  const type = reply.headers.get('content-type') ?? '';
  return type.startsWith('application/json') || type.startsWith('text/html');
}
