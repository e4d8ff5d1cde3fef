import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { Dispatcher } from 'undici';
import { errorEvent } from '../../failure.ts';
import { createBoundary } from '../../relay/boundary.ts';
import { keepAliveComment } from '../../relay/event-stream.ts';
import { answerHeaders, type HeaderPairs, isEventStream } from '../../relay/headers.ts';
import type { Hop } from '../../relay/relay.ts';
import { brokenStream } from '../respond.ts';

/** An upstream's answer on its way to the caller: from its head on nobody else is asked. */
export class Delivery {
  readonly status: number;
  bytes = 0;
  firstByteAt: number | null = null;
  readonly #response: ServerResponse;
  readonly #expected: number;
  readonly #boundary: ReturnType<typeof createBoundary> | null;
  #lastSentAt: number;

  constructor(
    response: ServerResponse,
    status: number,
    statusText: string,
    headers: IncomingHttpHeaders,
    ours: HeaderPairs,
  ) {
    this.#response = response;
    this.status = status;
    const isStream = isEventStream(headers['content-type']);
    this.#boundary = isStream && headers['content-encoding'] === undefined ? createBoundary() : null;
    this.#lastSentAt = this.#boundary ? Date.now() : 0;
    this.#expected = Number(headers['content-length'] ?? -1);
    response.writeHead(status, statusText, answerHeaders(pairsOf(headers), ours, isStream));
    // What streams shows its head at once; a short answer leaves head and body in one write.
    if (this.#expected < 0) response.flushHeaders();
  }

  /** Whether comments may be sent in silence. */
  get isEvents(): boolean {
    return this.#boundary !== null;
  }

  write(controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    this.firstByteAt ??= Date.now();
    this.bytes += chunk.length;
    if (this.#boundary) {
      this.#boundary.pass(chunk);
      this.#lastSentAt = Date.now();
    }
    if (this.bytes === this.#expected) {
      this.#response.end(chunk);
      return;
    }
    if (!this.#response.write(chunk)) {
      controller.pause();
      this.#response.once('drain', () => controller.resume());
    }
  }

  end(): void {
    if (!this.#response.writableEnded) this.#response.end();
  }

  /** Ends an answer that broke off: with an error line where it is a stream of events, else by cutting the connection. */
  break(silent: boolean, { timeouts }: Hop): void {
    if (!this.#boundary) {
      // The length was promised, or the chunks were: cutting the connection is the only honest end.
      this.#response.destroy();
      return;
    }
    const line = errorEvent(brokenStream(silent, timeouts.idle));
    this.#response.end((this.#boundary.betweenEvents() ? '' : '\n\n') + line);
  }

  /** Sends a comment where nothing was sent for so many seconds, between two events only. */
  keepAlive(now: number, seconds: number): void {
    if (!this.#boundary?.betweenEvents() || seconds === 0 || now - this.#lastSentAt < seconds * 1000) return;
    // A caller that does not read gets no comments piled up on it.
    if (this.#response.writableNeedDrain) return;
    this.#lastSentAt = now;
    this.#response.write(keepAliveComment);
  }
}

/** Headers as undici gives them, as pairs. */
export function pairsOf(headers: IncomingHttpHeaders): string[] {
  const pairs: string[] = [];
  for (const name in headers) {
    const value = headers[name];
    if (typeof value === 'string') pairs.push(name, value);
    else for (const each of value ?? []) pairs.push(name, each);
  }
  return pairs;
}
