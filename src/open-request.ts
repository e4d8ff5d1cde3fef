import type { Credentials } from './access/credentials.ts';
import { secretsOf } from './access/credentials.ts';
import type { RecordFields } from './call.ts';
import { documentHeaders, type RawHeaders } from './http/headers.ts';
import type { Incoming } from './http/request.ts';
import type { RequestRecord } from './observe/record.ts';
import { redactFields } from './observe/redact.ts';
import type { Exchange, Outcome, Reply } from './reply.ts';

/** Longest error text in a record, in characters. */
const maxErrorLength = 1000;

/** Stands in until the request is decided. */
const undecided = new Response(null, { status: 500 });

/** A request from its arrival to its record. */
export class OpenRequest implements Exchange {
  readonly id: string;
  readonly incoming: Incoming;
  readonly record: RecordFields = { route: 'none', caller: null, client: null, upstream: null, model: null };
  reply: Reply = undecided;
  addedHeaders: string[];
  credentials: Credentials = noCredentials;
  readonly #startedAt = performance.now();
  readonly #write: (record: RequestRecord) => void;
  readonly #afterwards: (() => void)[] = [];
  #isOver = false;

  constructor(id: string, incoming: Incoming, cors: RawHeaders, write: (record: RequestRecord) => void) {
    this.id = id;
    this.incoming = incoming;
    this.addedHeaders = [...cors, 'x-request-id', id];
    this.#write = write;
  }

  /** Settles what is answered. */
  answer(reply: Reply): this {
    if (!(reply instanceof Response)) {
      this.record.upstream = reply.requests[0].upstream;
      this.addedHeaders.push(...documentHeaders(this.incoming.head.get('sec-fetch-dest')));
    }
    this.reply = reply;
    return this;
  }

  /** Registers work that runs once the request is over. */
  onEnd(work: () => void): void {
    if (this.#isOver) work();
    else this.#afterwards.push(work);
  }

  end(outcome: Outcome): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const work of this.#afterwards) work();
    this.#write(withoutKeys(this.#recordOf(outcome), secretsOf(this.credentials)));
  }

  #recordOf(outcome: Outcome): RequestRecord {
    const { head } = this.incoming;
    const { record } = this;
    // A conversation that failed may have been followed by a relay.
    const attempts = (record.attempts ?? 1) + (outcome.attempts ?? 1) - 1;
    return {
      id: this.id,
      method: head.method,
      path: pathForLog(head.target),
      route: record.route,
      caller: record.caller,
      client: record.client,
      model: record.model,
      upstream: outcome.upstream ?? record.upstream,
      attempts: attempts > 1 ? attempts : undefined,
      status: outcome.status,
      bytes: outcome.bytes,
      firstByteMs: outcome.firstByteAt === null ? null : rounded(outcome.firstByteAt - this.#startedAt),
      totalMs: rounded(performance.now() - this.#startedAt),
      endedBy: record.endedBy ?? outcome.endedBy,
      error: (record.error ?? outcome.error)?.slice(0, maxErrorLength),
    };
  }
}

/** Credentials of a route that asks for none. */
const noCredentials: Credentials = { accessKey: null, ownKey: null, openaiKey: null };

/** The record without the caller's own keys, which it may have put into the path or the model. */
function withoutKeys(record: RequestRecord, secrets: readonly string[]): RequestRecord {
  const { path, model, error } = record;
  const isPlain = model === null && error === undefined && !path.includes('%');
  return isPlain && !secrets.some((secret) => path.includes(secret)) ? record : redactFields(record, secrets);
}

/**
 * A path as the log may hold it: without the query, in which some clients put keys, and not
 * endless.
 */
function pathForLog(target: string): string {
  const end = target.indexOf('?');
  return (end < 0 ? target : target.slice(0, end)).slice(0, 200);
}

/** Milliseconds with one decimal. */
function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}
