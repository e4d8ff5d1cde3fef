import type { Relay, Tunnel, UpstreamRequest } from './relay.ts';

/** What to do after an attempt: keep what it gave, or ask again, after a pause in milliseconds. */
export type Decision = 'keep' | { readonly hop: UpstreamRequest; readonly waitMs: number };

/**
 * How an attempt failed: the request never reached the upstream, no byte of an answer came, or it took too long. What was never sent may
 * always be sent again.
 */
export type FailureKind = 'unsent' | 'unanswered' | 'timeout' | 'full';

/** Statuses that another hop, or another time, may do better. */
const passing = new Set([408, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529]);
/** Statuses that another key may do better. */
const keyed = new Set([401, 402, 403, 429]);

/** The longest pause that is waited for; an upstream that asks for more is believed at once. */
const maxWaitMs = 10_000;
const baseMs = 250;
const maxBackoffMs = 4000;
/** Attempts of one request in all, however many hops and rounds there are. */
const maxAttempts = 12;

/**
 * Follows the attempts of one relayed request and says after each what to do. Everything here happens before the first byte of an answer
 * goes to the caller; after it nobody asks. A class, since one is made for each request.
 */
export class RetryState {
  readonly #relay: Relay | Tunnel;
  readonly #random: () => number;
  #at = 0;
  #round = 0;
  #count = 1;
  #isRead = false;

  constructor(relay: Relay | Tunnel, random: () => number = Math.random) {
    this.#relay = relay;
    this.#random = random;
  }

  get request(): UpstreamRequest {
    return this.#relay.requests[this.#at] as UpstreamRequest;
  }

  get count(): number {
    return this.#count;
  }

  /** Whether there is another place to go to, so that the beginning of a stream is worth a look before it is kept. */
  get hasNext(): boolean {
    return this.#at + 1 < this.#relay.requests.length && this.#count < maxAttempts && this.#canSendAgain();
  }

  /** The caller's body was read after all, and can be sent again. */
  bodyIsRead(): void {
    this.#isRead = true;
  }

  /** The upstream answered with a status; `header` gives its headers by lower-case name. */
  afterStatus(status: number, header: (name: string) => string | undefined, now: number): Decision {
    const { request: hop } = this;
    if (status < 400) {
      this.#relay.report(hop, 'ok');
      return 'keep';
    }
    const pauseMs = retryAfterMs(header, now);
    const sharesUpstream = this.#relay.requests[this.#at + 1]?.upstream === hop.upstream;
    const isPassing = passing.has(status);
    const otherKey = keyed.has(status) && sharesUpstream;
    if (status === 429) this.#relay.report(hop, { coolDownMs: Math.min(pauseMs ?? 5000, 300_000) });
    else if (otherKey) this.#relay.report(hop, { coolDownMs: 60_000 });
    else this.#relay.report(hop, status >= 500 ? 'failed' : 'ok');
    if (!(isPassing || otherKey) || !this.#canSendAgain()) return 'keep';
    // Who is told to wait waits, or passes that on; nobody else is asked to.
    return this.#next(status === 429 && pauseMs === null ? 0 : this.#relay.retries, pauseMs);
  }

  /** No answer came. What was not sent, or may be sent twice, is tried once more even where nothing else is configured. */
  afterFailure(trouble: FailureKind): Decision {
    if (trouble !== 'full') this.#relay.report(this.request, 'failed');
    if (!this.#hasBody() && trouble !== 'full') return 'keep';
    if (trouble !== 'unsent' && trouble !== 'full' && !this.#canSendAgain()) return 'keep';
    const again = trouble === 'timeout' || trouble === 'full' ? 0 : Math.max(this.#relay.retries, 1);
    return this.#next(again, null);
  }

  /** A stream that says 200 began with an error. */
  afterErrorEvent(): Decision {
    this.#relay.report(this.request, 'failed');
    return this.#canSendAgain() ? this.#next(0, null) : 'keep';
  }

  #hasBody(): boolean {
    return this.#isRead || this.request.body !== 'incoming';
  }

  #canSendAgain(): boolean {
    return this.#hasBody() && this.#relay.repeatable;
  }

  /** The next hop at once; after the last of them the first again, after a pause, as often as is allowed. */
  #next(rounds: number, pauseMs: number | null): Decision {
    if (this.#count >= maxAttempts) return 'keep';
    if (this.#at + 1 < this.#relay.requests.length) {
      this.#at++;
      this.#count++;
      return { hop: this.request, waitMs: 0 };
    }
    if (this.#round >= rounds) return 'keep';
    const backoff = Math.min(baseMs * 2 ** this.#round, maxBackoffMs) * (0.5 + this.#random() / 2);
    const waitMs = Math.max(pauseMs ?? 0, backoff);
    if (waitMs > maxWaitMs) return 'keep';
    this.#at = 0;
    this.#round++;
    this.#count++;
    return { hop: this.request, waitMs };
  }
}

/** How long an upstream asks to wait, in milliseconds: by `retry-after-ms`, by seconds, or by a date. Null where it does not say. */
export function retryAfterMs(header: (name: string) => string | undefined, now: number): number | null {
  const ms = Number(header('retry-after-ms') ?? Number.NaN);
  if (ms >= 0) return ms;
  const after = header('retry-after');
  if (after === undefined) return null;
  const seconds = Number(after);
  if (seconds >= 0) return seconds * 1000;
  // A date has words in it; without them `Date.parse` takes almost anything for one.
  const date = /[a-z]{3}/i.test(after) ? Date.parse(after) : Number.NaN;
  return Number.isNaN(date) ? null : Math.max(date - now, 0);
}
