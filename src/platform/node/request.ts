import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { Failure } from '../../http/failure.ts';
import type { RawHeaders } from '../../http/headers.ts';
import { bodyTooLarge } from '../../http/json-body.ts';
import type { Incoming, RequestHead } from '../../http/request.ts';
import { faults } from '../../relay/errors.ts';

/** A `node:http` request as the gateway takes it. Nothing is built before it is needed. */
export class NodeRequest implements Incoming, RequestHead {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #idleSeconds: number;
  #controller: AbortController | undefined;

  /** `idleSeconds`: longest silence in a body that is read; 0 for no limit. */
  constructor(request: IncomingMessage, response: ServerResponse, idleSeconds: number) {
    this.#request = request;
    this.#response = response;
    this.#idleSeconds = idleSeconds;
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

  get peerAddress(): string | undefined {
    return this.#request.socket.remoteAddress;
  }

  get hasBody(): boolean {
    const { headers } = this.#request;
    return (headers['content-length'] ?? '0') !== '0' || headers['transfer-encoding'] !== undefined;
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      const controller = new AbortController();
      this.#controller = controller;
      const abort = (): void => {
        if (!this.#response.writableFinished) controller.abort(new Error('the caller left'));
      };
      // A response that has closed before emits no further event.
      if (this.#response.destroyed) abort();
      else this.#response.once('close', abort);
    }
    return this.#controller.signal;
  }

  stream(): ReadableStream<Uint8Array> | null {
    if (!this.hasBody) return null;
    this.sendContinue();
    return Readable.toWeb(this.#request) as ReadableStream<Uint8Array>;
  }

  read(limit: number, onBytes?: (bytes: number) => void): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const request = this.#request;
      const chunks: Buffer[] = [];
      let length = 0;
      if (Number(request.headers['content-length'] ?? 0) > limit) return reject(bodyTooLarge(limit));
      if (request.destroyed && !request.complete) return reject(callerLeft());
      this.sendContinue();
      const idleSeconds = this.#idleSeconds;
      const idle =
        idleSeconds > 0
          ? setTimeout(() => fail(faults.bodySilent(idleSeconds).failure), idleSeconds * 1000)
          : undefined;
      const onData = (chunk: Buffer): void => {
        idle?.refresh();
        length += chunk.length;
        chunks.push(chunk);
        if (length > limit) return fail(bodyTooLarge(limit));
        try {
          onBytes?.(chunk.length);
        } catch (error) {
          fail(error as Error);
        }
      };
      const settle = (): void => {
        clearTimeout(idle);
        request.off('data', onData).off('end', onEnd).off('error', onClose).off('close', onClose);
      };
      const fail = (error: Error): void => {
        settle();
        request.pause();
        chunks.length = 0;
        reject(error);
      };
      const onEnd = (): void => {
        settle();
        resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, length));
      };
      const onClose = (): void => fail(callerLeft());
      request.on('data', onData).once('end', onEnd).once('error', onClose).once('close', onClose);
    });
  }

  /**
   * Asks a client that waits for it (`Expect: 100-continue`) to send its body: not before we want
   * it.
   */
  sendContinue(): void {
    if (this.#request.headers.expect?.toLowerCase() === '100-continue' && !this.#response.headersSent) {
      this.#response.writeContinue();
    }
  }
}

function callerLeft(): Failure {
  return new Failure('invalid_request', 'The caller left before its body was whole.');
}
