import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { Failure } from '../../../http/failure.ts';
import { responseHeaders } from '../../../http/headers.ts';
import type { Relay, Tunnel } from '../../../relay/relay.ts';
import { type Decision, RetryState } from '../../../relay/retry.ts';
import type { Release } from '../../../relay/semaphore.ts';
import type { EndedBy, Exchange } from '../../../reply.ts';
import { atItsLimit } from '../../fetch/relay.ts';
import { sendFailure } from '../send-response.ts';
import { Attempt } from './attempt.ts';
import { overLimit, refusalOf } from './error-codes.ts';
import type { Lane } from './relay.ts';
import { type Delivery, pairsOf } from './response-writer.ts';

export type Upgrade = (headers: string[], upstream: Duplex) => void;

type Outgoing = Uint8Array | IncomingMessage | AsyncIterable<Uint8Array> | null;

/** One request on its way: hop after hop until an answer is kept, then that answer to its end, and what became of it. */
export class Carriage {
  readonly plan: Relay | Tunnel;
  readonly exchange: Exchange;
  readonly response: ServerResponse;
  readonly attempts: RetryState;
  readonly #request: IncomingMessage;
  readonly #lane: Lane;
  readonly #upgrade: Upgrade | null;
  #incoming: Outgoing = null;
  #attempt: Attempt | null = null;
  #delivery: Delivery | null = null;
  #release: Release | null = null;
  #left: AbortController | null = null;
  #pause: NodeJS.Timeout | undefined;
  /** Until when, and how many bytes more, an answer is read on that nobody waits for. */
  #readsOn: { until: number; bytes: number } | null = null;
  #beating = false;
  #over = false;
  #failure: Failure | null = null;

  constructor(
    plan: Relay | Tunnel,
    exchange: Exchange,
    request: IncomingMessage,
    response: ServerResponse,
    lane: Lane,
    upgrade: Upgrade | null,
  ) {
    this.plan = plan;
    this.exchange = exchange;
    this.response = response;
    this.attempts = new RetryState(plan);
    this.#request = request;
    this.#lane = lane;
    this.#upgrade = upgrade;
    response.once('close', this.#closed);
    if (this.attempts.request.timeouts.total > 0) this.#join();
  }

  /** Begins, with the caller's body where the plan has none of its own. */
  start(incoming: Outgoing): void {
    this.#incoming = incoming;
    if (incoming instanceof Uint8Array) this.attempts.bodyIsRead();
    this.#ask();
  }

  /** Reads a small body first, so that head and body go out in one write, and can be sent again. */
  readWhole(): void {
    const chunks: Buffer[] = [];
    this.#request.on('data', (chunk: Buffer) => chunks.push(chunk));
    this.#request.once('end', () =>
      this.start(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)),
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

  /** Answers with a failure of our own. */
  refuse(failure: Failure): void {
    sendFailure(this.response, failure, this.exchange.addedHeaders, !this.#request.complete);
    this.#finish('gateway', failure.message, failure.status);
  }

  /** Asks the hop whose turn it is, once it has a place for us. */
  #ask(): void {
    if (this.#over) return;
    const { slots } = this.attempts.request;
    if (slots === null) return this.dispatch(new Attempt(this, this.attempts.request));
    const release = slots.tryAcquire();
    if (release) return this.#enter(release);
    const verdict = this.attempts.afterFailure('full');
    if (verdict !== 'keep') return this.move(verdict);
    this.#left ??= new AbortController();
    void this.attempts.request.slots?.acquire(this.#left.signal).then((later) => {
      if (this.#over) later?.();
      else if (later) this.#enter(later);
      else this.refuse(atItsLimit());
    });
  }

  #enter(release: Release): void {
    this.#release = release;
    this.dispatch(new Attempt(this, this.attempts.request));
  }

  dispatch(attempt: Attempt): void {
    this.#attempt = attempt;
    const { hop } = attempt;
    const options: Dispatcher.DispatchOptions = {
      method: this.plan.method as Dispatcher.HttpMethod,
      path: hop.path,
      headers: hop.headers as string[],
      body: (hop.body === 'incoming' ? this.#incoming : hop.body) as Dispatcher.DispatchOptions['body'] &
        object,
      headersTimeout: hop.timeouts.firstByte * 1000,
      bodyTimeout: hop.timeouts.idle * 1000,
      ...(this.#upgrade ? { upgrade: 'websocket' } : {}),
    };
    try {
      this.#lane.pools.to(hop.origin, hop.timeouts).dispatch(options, attempt);
    } catch (error) {
      attempt.onResponseError(null, error as Error);
    }
  }

  /** Leaves an attempt for another one. */
  move({ waitMs }: Exclude<Decision, 'keep'>): void {
    this.#attempt?.abandon(new Error('another one is asked'));
    this.#attempt = null;
    this.#giveBack();
    if (waitMs === 0) this.#ask();
    else this.#pause = setTimeout(() => this.#ask(), waitMs);
  }

  delivers(delivery: Delivery): void {
    this.#delivery = delivery;
    if (delivery.isEvents && this.#lane.keepAlive > 0) this.#join();
  }

  data(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#readsOn) {
      this.#readsOn.bytes -= chunk.length;
      if (this.#readsOn.bytes < 0) this.#stopReading();
      return;
    }
    if (!this.#over) this.#delivery?.write(controller, chunk);
  }

  ended(): void {
    if (!this.#readsOn) this.#delivery?.end();
    this.#finish(this.#readsOn ? 'client' : 'done');
  }

  failed(error: Error): void {
    if (this.#over) return;
    if (this.#readsOn) return this.#finish('client');
    const { request: hop } = this.attempts;
    const { failure, endedBy, trouble } = this.#failure
      ? { failure: this.#failure, endedBy: 'gateway' as const, trouble: null }
      : refusalOf(error, hop.timeouts);
    if (this.#delivery) {
      this.plan.report(hop, 'failed');
      this.#delivery.break(endedBy === 'timeout', hop);
      return this.#finish(endedBy, error.message);
    }
    const verdict = trouble ? this.attempts.afterFailure(trouble) : 'keep';
    if (verdict !== 'keep') return this.move(verdict);
    sendFailure(this.response, failure, this.exchange.addedHeaders, !this.#request.complete);
    this.#finish(endedBy, error.message, failure.status);
  }

  upgraded(status: number, headers: IncomingHttpHeaders, socket: Duplex): void {
    this.#over = true;
    this.#leave();
    this.#giveBack();
    this.response.off('close', this.#closed);
    this.exchange.end({
      status,
      bytes: null,
      firstByteMs: Date.now() - this.exchange.startedAt,
      endedBy: 'done',
    });
    this.#upgrade?.(responseHeaders(pairsOf(headers), this.exchange.addedHeaders, false), socket);
  }

  readonly #closed = (): void => {
    if (this.#over || this.response.writableFinished) return;
    const { whenCallerLeaves: policy } = this.attempts.request;
    if (policy === 'cancel' || !this.#delivery) {
      const attempt = this.#attempt;
      this.#finish('client');
      attempt?.abandon(new Error('the caller left'));
      return;
    }
    this.#readsOn = { until: Date.now() + policy.seconds * 1000, bytes: policy.bytes };
    this.#join();
    if (this.#attempt?.controller?.paused) this.#attempt.controller.resume();
  };

  #stopReading(): void {
    const attempt = this.#attempt;
    this.#finish('client');
    attempt?.abandon(new Error('read for long enough'));
  }

  #join(): void {
    if (!this.#beating) this.#lane.pulse.join(this.#beat);
    this.#beating = true;
  }

  #leave(): void {
    if (this.#beating) this.#lane.pulse.leave(this.#beat);
  }

  readonly #beat = (now: number): void => {
    if (this.#readsOn && now >= this.#readsOn.until) return this.#stopReading();
    const { total } = this.attempts.request.timeouts;
    if (total > 0 && now - this.exchange.startedAt >= total * 1000) {
      const error = Object.assign(new Error('the whole answer took too long'), { code: 'TOTAL_TIMEOUT' });
      const attempt = this.#attempt;
      this.failed(error);
      attempt?.abandon(error);
      return;
    }
    if (!this.#readsOn) this.#delivery?.keepAlive(now, this.#lane.keepAlive);
  };

  #giveBack(): void {
    this.#release?.();
    this.#release = null;
  }

  #finish(endedBy: EndedBy, error?: string, status?: number): void {
    if (this.#over) return;
    this.#over = true;
    this.#leave();
    this.#giveBack();
    this.#left?.abort();
    clearTimeout(this.#pause);
    const { firstByteAt = null, bytes = 0 } = this.#delivery ?? {};
    this.exchange.end({
      status: status ?? this.#delivery?.status ?? 499,
      bytes,
      firstByteMs: firstByteAt === null ? null : firstByteAt - this.exchange.startedAt,
      endedBy,
      ...(error === undefined ? {} : { error }),
      upstream: this.attempts.request.upstream,
      ...(this.attempts.count > 1 ? { attempts: this.attempts.count } : {}),
    });
  }
}
