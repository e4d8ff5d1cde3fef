import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Dispatcher } from 'undici';
import { errorEvent, type Failure } from '../../failure.ts';
import { createBoundary } from '../../relay/boundary.ts';
import { keepAliveComment } from '../../relay/event-stream.ts';
import { answerHeaders, isEventStream } from '../../relay/headers.ts';
import { type Hop, maxRedirects, type Relay, sameHostRedirect, type Tunnel } from '../../relay/relay.ts';
import type { EndedBy, Exchange } from '../../reply.ts';
import { brokenStream } from '../respond.ts';
import type { NodeIncoming } from './node-incoming.ts';
import type { Pools } from './pools.ts';
import type { Pulse } from './pulse.ts';
import { sendFailure } from './send.ts';
import { overLimit, refusalOf } from './upstream-errors.ts';

/** Bodies up to this size are read before they are sent on: one write instead of a stream. */
const smallBody = 64 * 1024;

/** What carrying needs of the machine, made once. */
export type Lane = {
  readonly pools: Pools;
  readonly pulse: Pulse;
  /** Seconds of silence after which an event stream gets a comment; 0 for never. */
  readonly keepAlive: number;
  /** Largest relayed request body in bytes; 0 for any. */
  readonly maxRelayBytes: number;
};

/**
 * Carries a plan out from socket to socket: `node:http` in, undici's `dispatch` out, no web objects in between. The
 * same as `respond` does with `fetch`, at a fraction of its cost.
 */
export function carry(
  plan: Relay | Tunnel,
  exchange: Exchange,
  incoming: NodeIncoming,
  request: IncomingMessage,
  response: ServerResponse,
  lane: Lane,
  upgrade: ((headers: string[], upstream: Duplex) => void) | null = null,
): void {
  const carriage = new Carriage(plan, exchange, request, response, lane, upgrade);
  const body = plan.kind === 'tunnel' ? null : plan.body;
  if (body !== 'incoming') return carriage.send(body);
  const length = Number(request.headers['content-length'] ?? Number.NaN);
  if (lane.maxRelayBytes > 0 && length > lane.maxRelayBytes)
    return carriage.refuse(overLimit(lane.maxRelayBytes));
  incoming.welcome();
  if (length <= smallBody) carriage.sendWhole();
  else carriage.send(lane.maxRelayBytes > 0 ? carriage.limited(request, lane.maxRelayBytes) : request);
}

/** One answer on its way: undici tells it what the upstream says, it tells the caller. */
class Carriage implements Dispatcher.DispatchHandler {
  readonly #plan: Relay | Tunnel;
  readonly #exchange: Exchange;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #lane: Lane;
  readonly #upgrade: ((headers: string[], upstream: Duplex) => void) | null;
  #hop: Hop;
  #redirects = 0;
  #controller: Dispatcher.DispatchController | null = null;
  #boundary: ReturnType<typeof createBoundary> | null = null;
  #status = 0;
  #bytes = 0;
  #expected = -1;
  #firstByteMs: number | null = null;
  #lastSentAt = 0;
  #over = false;
  #skipping = false;
  #beating = false;
  #failure: Failure | null = null;

  constructor(
    plan: Relay | Tunnel,
    exchange: Exchange,
    request: IncomingMessage,
    response: ServerResponse,
    lane: Lane,
    upgrade: ((headers: string[], upstream: Duplex) => void) | null,
  ) {
    this.#plan = plan;
    this.#exchange = exchange;
    this.#request = request;
    this.#response = response;
    this.#lane = lane;
    this.#upgrade = upgrade;
    this.#hop = plan.hop;
    response.once('close', this.#closed);
    if (plan.timeouts.total > 0) this.#join();
  }

  send(body: Uint8Array | IncomingMessage | AsyncIterable<Uint8Array> | null): void {
    if (this.#over) return;
    const { timeouts } = this.#plan;
    const options: Dispatcher.DispatchOptions = {
      method: this.#plan.kind === 'relay' ? this.#plan.method : 'GET',
      path: this.#hop.path,
      headers: this.#hop.headers as string[],
      body: body as Dispatcher.DispatchOptions['body'] & object,
      headersTimeout: timeouts.firstByte * 1000,
      bodyTimeout: timeouts.idle * 1000,
      ...(this.#upgrade ? { upgrade: 'websocket' } : {}),
    };
    try {
      this.#lane.pools.to(this.#hop.origin, timeouts).dispatch(options, this);
    } catch (error) {
      this.onResponseError(null, error as Error);
    }
  }

  /** Reads a small body first, so that head and body go out in one write. */
  sendWhole(): void {
    const chunks: Buffer[] = [];
    this.#request.on('data', (chunk: Buffer) => chunks.push(chunk));
    this.#request.once('end', () =>
      this.send(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)),
    );
  }

  /** The caller's body, broken off with a 413 where it grows beyond the limit. */
  async *limited(body: AsyncIterable<Uint8Array>, limit: number): AsyncGenerator<Uint8Array> {
    let length = 0;
    for await (const chunk of body) {
      length += chunk.length;
      if (length > limit) {
        this.#failure = overLimit(limit);
        throw this.#failure;
      }
      yield chunk;
    }
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#over) controller.abort(new Error('the caller left'));
  }

  onRequestUpgrade(
    _: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
    socket: Duplex,
  ): void {
    this.#over = true;
    this.#leave();
    this.#response.off('close', this.#closed);
    this.#exchange.end({ status, bytes: null, firstByteMs: this.#elapsed(), endedBy: 'done' });
    this.#upgrade?.(answerHeaders(pairsOf(headers), this.#exchange.ours, false), socket);
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
    statusText?: string,
  ): void {
    if (status < 200) return;
    const method = this.#plan.kind === 'relay' ? this.#plan.method : 'GET';
    const next = sameHostRedirect(method, this.#hop, status, headers.location);
    if (next && this.#redirects < maxRedirects) {
      this.#redirects++;
      this.#hop = next;
      this.#skipping = true;
      return;
    }
    this.#status = status;
    const stream = isEventStream(headers['content-type']) && headers['content-encoding'] === undefined;
    const out = answerHeaders(pairsOf(headers), this.#exchange.ours, isEventStream(headers['content-type']));
    if (stream) this.#startEvents();
    this.#expected = Number(headers['content-length'] ?? -1);
    this.#response.writeHead(status, statusText ?? '', out);
    // What streams shows its head at once; a short answer leaves head and body in one write.
    if (this.#expected < 0) this.#response.flushHeaders();
    if (controller.paused) controller.resume();
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#skipping || this.#over) return;
    this.#firstByteMs ??= this.#elapsed();
    this.#bytes += chunk.length;
    if (this.#boundary) {
      this.#boundary.pass(chunk);
      this.#lastSentAt = Date.now();
    }
    if (this.#bytes === this.#expected) {
      this.#response.end(chunk);
      return;
    }
    if (!this.#response.write(chunk)) {
      controller.pause();
      this.#response.once('drain', () => controller.resume());
    }
  }

  onResponseEnd(): void {
    if (this.#skipping) {
      this.#skipping = false;
      this.send(null);
      return;
    }
    if (!this.#response.writableEnded) this.#response.end();
    this.#finish('done');
  }

  onResponseError(_: Dispatcher.DispatchController | null, error: Error): void {
    if (this.#over) return;
    const { failure, endedBy } = this.#failure
      ? { failure: this.#failure, endedBy: 'gateway' as const }
      : refusalOf(error, this.#plan.timeouts);
    if (!this.#response.headersSent) {
      this.#status = failure.status;
      sendFailure(this.#response, failure, this.#exchange.ours, !this.#request.complete);
    } else if (this.#boundary) {
      const line = errorEvent(brokenStream(endedBy === 'timeout', this.#plan.timeouts.idle));
      this.#response.end((this.#boundary.betweenEvents() ? '' : '\n\n') + line);
    } else {
      // The length was promised, or the chunks were: cutting the connection is the only honest end.
      this.#response.destroy();
    }
    this.#finish(endedBy, error.message);
  }

  /** Answers with a failure of our own, before anything was sent upstream. */
  refuse(failure: Failure): void {
    this.#status = failure.status;
    sendFailure(this.#response, failure, this.#exchange.ours, true);
    this.#finish('gateway', failure.message);
  }

  readonly #closed = (): void => {
    if (this.#over || this.#response.writableFinished) return;
    this.#finish('client');
    this.#controller?.abort(new Error('the caller left'));
  };

  #startEvents(): void {
    this.#boundary = createBoundary();
    this.#lastSentAt = Date.now();
    if (this.#lane.keepAlive > 0) this.#join();
  }

  #join(): void {
    if (!this.#beating) this.#lane.pulse.join(this.#beat);
    this.#beating = true;
  }

  #leave(): void {
    if (this.#beating) this.#lane.pulse.leave(this.#beat);
  }

  readonly #beat = (now: number): void => {
    const { total } = this.#plan.timeouts;
    if (total > 0 && now - this.#exchange.startedAt >= total * 1000) {
      const error = Object.assign(new Error('the whole answer took too long'), { code: 'TOTAL_TIMEOUT' });
      this.onResponseError(null, error);
      this.#controller?.abort(error);
      return;
    }
    const { keepAlive } = this.#lane;
    if (!this.#boundary?.betweenEvents() || keepAlive === 0 || now - this.#lastSentAt < keepAlive * 1000)
      return;
    // A caller that does not read gets no comments piled up on it.
    if (this.#response.writableNeedDrain) return;
    this.#lastSentAt = now;
    this.#response.write(keepAliveComment);
  };

  #elapsed(): number {
    return Date.now() - this.#exchange.startedAt;
  }

  #finish(endedBy: EndedBy, error?: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#leave();
    this.#exchange.end({
      status: this.#status || 499,
      bytes: this.#bytes,
      firstByteMs: this.#firstByteMs,
      endedBy,
      ...(error === undefined ? {} : { error }),
    });
  }
}

function pairsOf(headers: IncomingHttpHeaders): string[] {
  const pairs: string[] = [];
  for (const name in headers) {
    const value = headers[name];
    if (typeof value === 'string') pairs.push(name, value);
    else for (const each of value ?? []) pairs.push(name, each);
  }
  return pairs;
}
