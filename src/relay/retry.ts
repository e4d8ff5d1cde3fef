import type { Relay, Tunnel, UpstreamRequest } from './relay.ts';

/**
 * What to do after an attempt: keep its result, or send another request after a pause in
 * milliseconds.
 */
export type Decision = 'keep' | { readonly request: UpstreamRequest; readonly waitMs: number };

/**
 * How an attempt failed.
 * - `unsent`: the request never reached the upstream, so it may always be sent again.
 * - `unconnected`: no connection in time. Like `unsent`, but waiting once more on the same upstream
 *   is pointless.
 * - `unanswered`: no whole response came.
 * - `timeout`: it took too long.
 * - `full`: the upstream's concurrency limit is used up.
 */
export type FailureKind = 'unsent' | 'unconnected' | 'unanswered' | 'timeout' | 'full';

/** Statuses for which another upstream, or another time, may do better. */
const retryable = new Set([408, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529]);
/** Statuses for which another key may do better. */
const keyDependent = new Set([401, 402, 403, 429]);

/**
 * Longest Retry-After we wait for. If the upstream asks for more, its response goes to the caller.
 */
const maxWaitMs = 10_000;
const baseMs = 250;
const maxBackoffMs = 4000;
/** Attempts of one request in all, however many upstreams and rounds there are. */
const maxAttempts = 12;

/**
 * Decides after each attempt of a relayed request what to do next. All of this happens before the
 * first byte of a response goes to the caller. A class, because one is made for each request.
 */
export class RetryState {
  readonly #relay: Relay | Tunnel;
  readonly #random: () => number;
  #index = 0;
  #round = 0;
  #count = 1;
  #isBodyRead = false;

  constructor(relay: Relay | Tunnel, random: () => number = Math.random) {
    this.#relay = relay;
    this.#random = random;
  }

  /** The request to send now. */
  get request(): UpstreamRequest {
    return this.#relay.requests[this.#index] as UpstreamRequest;
  }

  /** Attempts so far. */
  get count(): number {
    return this.#count;
  }

  /**
   * Whether another request could follow, so that the start of a stream is worth a look before it
   * is kept.
   */
  get hasNext(): boolean {
    return this.#index + 1 < this.#relay.requests.length && this.#count < maxAttempts && this.#canSendAgain();
  }

  /** The caller's body is in memory now and can be sent again. */
  bodyIsRead(): void {
    this.#isBodyRead = true;
  }

  /**
   * The upstream answered. `header` gives its headers by lower-case name, `now` is wall-clock time.
   */
  afterStatus(status: number, header: (name: string) => string | undefined, now: () => number): Decision {
    const { request } = this;
    if (status < 400) {
      this.#relay.report(request, 'ok');
      return 'keep';
    }
    const pauseMs = retryAfterMs(header, now());
    const sharesUpstream = this.#relay.requests[this.#index + 1]?.upstream === request.upstream;
    const otherKey = keyDependent.has(status) && sharesUpstream;
    if (status === 429) this.#relay.report(request, { coolDownMs: Math.min(pauseMs ?? 5000, 300_000) });
    else if (otherKey) this.#relay.report(request, { coolDownMs: 60_000 });
    else this.#relay.report(request, status >= 500 ? 'failed' : 'ok');
    if (!(retryable.has(status) || otherKey) || !this.#canSendAgain()) return 'keep';
    // A 429 without Retry-After names no time after which a retry would help.
    return this.#next(status === 429 && pauseMs === null ? 0 : this.#relay.retries, pauseMs);
  }

  /**
   * No response came. An unsent or repeatable request is sent once more even if no retries are
   * configured.
   */
  afterFailure(kind: FailureKind): Decision {
    if (kind !== 'full') this.#relay.report(this.request, 'failed');
    const isUnsent = kind === 'unsent' || kind === 'unconnected' || kind === 'full';
    if (kind !== 'full' && !(isUnsent ? this.#hasBody() : this.#canSendAgain())) return 'keep';
    const rounds = kind === 'unsent' || kind === 'unanswered' ? Math.max(this.#relay.retries, 1) : 0;
    return this.#next(rounds, null);
  }

  /** A response with status 200 began with an error event. */
  afterErrorEvent(): Decision {
    this.#relay.report(this.request, 'failed');
    return this.#canSendAgain() ? this.#next(0, null) : 'keep';
  }

  #hasBody(): boolean {
    return this.#isBodyRead || this.request.body !== 'incoming';
  }

  #canSendAgain(): boolean {
    return this.#hasBody() && this.#relay.repeatable;
  }

  /**
   * The next request at once. After the last one the first again, after a pause, at most `rounds`
   * times.
   */
  #next(rounds: number, pauseMs: number | null): Decision {
    if (this.#count >= maxAttempts) return 'keep';
    if (this.#index + 1 < this.#relay.requests.length) {
      this.#index++;
      this.#count++;
      return { request: this.request, waitMs: 0 };
    }
    if (this.#round >= rounds) return 'keep';
    const backoff = Math.min(baseMs * 2 ** this.#round, maxBackoffMs) * (0.5 + this.#random() / 2);
    const waitMs = Math.max(pauseMs ?? 0, backoff);
    if (waitMs > maxWaitMs) return 'keep';
    this.#index = 0;
    this.#round++;
    this.#count++;
    return { request: this.request, waitMs };
  }
}

/**
 * How long an upstream asks to wait, in milliseconds: `retry-after-ms`, seconds, or a date. Null if
 * it does not say.
 */
export function retryAfterMs(header: (name: string) => string | undefined, now: number): number | null {
  const ms = Number(header('retry-after-ms') ?? Number.NaN);
  if (ms >= 0) return ms;
  const after = header('retry-after');
  if (after === undefined) return null;
  const seconds = Number(after);
  if (seconds >= 0) return seconds * 1000;
  // A date has words in it. Without this check `Date.parse` takes almost anything for a date.
  const date = /[a-z]{3}/i.test(after) ? Date.parse(after) : Number.NaN;
  return Number.isNaN(date) ? null : Math.max(date - now, 0);
}
