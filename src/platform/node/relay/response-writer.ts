import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { Dispatcher } from 'undici';
import { errorEvent } from '../../../http/failure.ts';
import { isEventStream, type RawHeaders, responseHeaders } from '../../../http/headers.ts';
import { createBoundary } from '../../../relay/event-boundary.ts';
import { keepAliveComment } from '../../../relay/event-stream.ts';
import type { UpstreamRequest } from '../../../relay/relay.ts';
import { brokenStream } from '../../fetch/respond.ts';

/**
 * Up to this size bytes are put together as a string before they are written: latin1 is one byte a character, and a string goes out with the
 * head in one write. Larger ones cost more to copy than to write apart.
 */
const smallBytes = 16 * 1024;
const comment = Buffer.from(keepAliveComment).toString('latin1');
const lastChunk = '0\r\n\r\n';

/**
 * An upstream's answer on its way to the caller: from its head on nobody else is asked. What arrives in one read leaves in one write: a stream's
 * chunks are framed here (RFC 9112 §7.1), since `node:http` writes three pieces for each.
 */
export class Delivery {
  readonly status: number;
  bytes = 0;
  firstByteAt: number | null = null;
  readonly #response: ServerResponse;
  readonly #expected: number;
  readonly #framed: boolean;
  readonly #boundary: ReturnType<typeof createBoundary> | null;
  #controller: Dispatcher.DispatchController | null = null;
  /** What arrived in this turn of the loop, and whether its writing is due. */
  #pending = '';
  #due = false;
  #ended = false;
  #lastSentAt: number;

  constructor(
    response: ServerResponse,
    status: number,
    statusText: string,
    headers: IncomingHttpHeaders,
    ours: RawHeaders,
  ) {
    this.#response = response;
    this.status = status;
    const isStream = isEventStream(headers['content-type']);
    this.#boundary = isStream && headers['content-encoding'] === undefined ? createBoundary() : null;
    this.#lastSentAt = this.#boundary ? Date.now() : 0;
    this.#expected = Number(headers['content-length'] ?? -1);
    response.writeHead(status, statusText, responseHeaders(pairsOf(headers), ours, isStream));
    this.#framed = response.chunkedEncoding;
    // The head has said that chunks come; from here on they are ours to make.
    response.chunkedEncoding = false;
    // What streams shows its head at once, with what came beside it; a short answer leaves head and body in one write.
    if (this.#expected < 0) this.#schedule();
  }

  /** Whether comments may be sent in silence. */
  get isEvents(): boolean {
    return this.#boundary !== null;
  }

  write(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.firstByteAt ??= Date.now();
    this.bytes += chunk.length;
    this.#controller = controller;
    if (this.#boundary) {
      this.#boundary.pass(chunk);
      this.#lastSentAt = Date.now();
    }
    if (this.#framed) return this.#add(chunk);
    if (this.bytes === this.#expected) {
      if (chunk.length === this.#expected && chunk.length <= smallBytes)
        this.#response.end(chunk.toString('latin1'), 'latin1');
      else this.#response.end(chunk);
    } else this.#written(this.#response.write(chunk));
  }

  end(): void {
    if (this.#response.writableEnded) return;
    if (!this.#framed) return void this.#response.end();
    this.#ended = true;
    this.#schedule();
  }

  /** Ends an answer that broke off: with an error line where it is a stream of events, else by cutting the connection. */
  break(silent: boolean, { timeouts }: UpstreamRequest): void {
    if (!this.#boundary) {
      // The length was promised, or the chunks were: cutting the connection is the only honest end.
      this.#response.destroy();
      return;
    }
    const line = errorEvent(brokenStream(silent, timeouts.idle));
    const text = (this.#boundary.betweenEvents() ? '' : '\n\n') + line;
    this.#pending += Buffer.from(text).toString('latin1');
    this.#ended = true;
    this.#flush();
  }

  /** Sends a comment where nothing was sent for so many seconds, between two events only. */
  keepAlive(now: number, seconds: number): void {
    if (!this.#boundary?.betweenEvents() || seconds === 0 || now - this.#lastSentAt < seconds * 1000) return;
    // A caller that does not read gets no comments piled up on it.
    if (this.#response.writableNeedDrain) return;
    this.#lastSentAt = now;
    this.#pending += comment;
    this.#flush();
  }

  #add(chunk: Buffer): void {
    if (chunk.length <= smallBytes) {
      this.#pending += chunk.toString('latin1');
      this.#schedule();
      return;
    }
    this.#flush();
    this.#response.write(`${chunk.length.toString(16)}\r\n`, 'latin1');
    this.#response.write(chunk);
    this.#written(this.#response.write('\r\n', 'latin1'));
  }

  #schedule(): void {
    if (this.#due) return;
    this.#due = true;
    process.nextTick(this.#flush);
  }

  readonly #flush = (): void => {
    this.#due = false;
    const text = this.#pending;
    this.#pending = '';
    // A large piece is written at once, and what was due then comes here once more.
    if (this.#response.destroyed || this.#response.writableEnded) return;
    const frame = text === '' || !this.#framed ? text : `${text.length.toString(16)}\r\n${text}\r\n`;
    if (this.#ended) this.#response.end(this.#framed ? frame + lastChunk : frame, 'latin1');
    else if (frame !== '') this.#written(this.#response.write(frame, 'latin1'));
    else if (this.bytes === 0) this.#response.flushHeaders();
  };

  /** Where the caller does not read, the upstream is not read either. */
  #written(isTaken: boolean): void {
    const controller = this.#controller;
    if (isTaken || !controller || controller.paused) return;
    controller.pause();
    this.#response.once('drain', () => controller.resume());
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
