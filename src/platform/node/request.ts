import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { Failure } from '../../http/failure.ts';
import type { RawHeaders } from '../../http/headers.ts';
import type { Incoming, RequestHead } from '../../http/request.ts';
import { bodyTooLarge } from '../fetch/request.ts';

/** A `node:http` request as the gateway takes it. Nothing is built until it is asked for. */
export class NodeIncoming implements Incoming, RequestHead {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  #controller: AbortController | undefined;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request;
    this.#response = response;
  }

  get head(): RequestHead {
    return this;
  }

  get method(): string {
    return this.#request.method ?? 'GET';
  }

  get target(): string {
    return this.#request.url ?? '/';
  }

  get rawHeaders(): RawHeaders {
    return this.#request.rawHeaders;
  }

  get(name: string): string | undefined {
    const value = this.#request.headers[name];
    return Array.isArray(value) ? value[0] : value;
  }

  get scheme(): 'http' {
    return 'http';
  }

  get hasBody(): boolean {
    const { headers } = this.#request;
    return (headers['content-length'] ?? '0') !== '0' || headers['transfer-encoding'] !== undefined;
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      const controller = new AbortController();
      this.#controller = controller;
      this.#response.once('close', () => {
        if (!this.#response.writableFinished) controller.abort(new Error('the caller left'));
      });
    }
    return this.#controller.signal;
  }

  stream(): ReadableStream<Uint8Array> | null {
    if (!this.hasBody) return null;
    this.sendContinue();
    return Readable.toWeb(this.#request) as ReadableStream<Uint8Array>;
  }

  read(limit: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const request = this.#request;
      const chunks: Buffer[] = [];
      let length = 0;
      if (Number(request.headers['content-length'] ?? 0) > limit) return reject(bodyTooLarge(limit));
      this.sendContinue();
      request.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length > limit) {
          request.removeAllListeners('data').pause();
          return reject(bodyTooLarge(limit));
        }
        chunks.push(chunk);
      });
      request.once('end', () =>
        resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, length)),
      );
      request.once('error', reject);
      request.once('close', () =>
        reject(new Failure('invalid_request', 'The caller left before its body was whole.')),
      );
    });
  }

  /** Tells a caller that waits for it (`Expect: 100-continue`) to send its body: not before we want it. */
  sendContinue(): void {
    if (this.#request.headers.expect?.toLowerCase() === '100-continue' && !this.#response.headersSent) {
      this.#response.writeContinue();
    }
  }
}
