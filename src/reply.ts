import type { RecordFields } from './call.ts';
import type { EndedBy } from './http/ended-by.ts';
import { errorBody, type Failure } from './http/failure.ts';
import type { RawHeaders } from './http/headers.ts';
import type { Relay, Tunnel } from './relay/relay.ts';

/** What a route gives back. A Relay or a Tunnel is a plan: the platform runs it. */
export type Reply = Response | Relay | Tunnel;

/** Statuses whose responses have no body (Fetch standard, section 2.2.3). */
export const nullBodyStatuses: ReadonlySet<number> = new Set([101, 204, 205, 304]);

/** How a response ended. The platform reports it once. */
export type Outcome = {
  readonly status: number;
  /** Body bytes sent to the caller; null if the runtime does not tell. */
  readonly bytes: number | null;
  /** Monotonic time of the first body byte, in milliseconds. */
  readonly firstByteAt: number | null;
  readonly endedBy: EndedBy;
  readonly error?: string | undefined;
  /** The upstream that answered, and how many attempts there were, if a plan was run. */
  readonly upstream?: string;
  readonly attempts?: number;
};

/** A request that has been decided: what to answer, and where to report how it went. */
export interface Exchange {
  readonly id: string;
  readonly reply: Reply;
  /** Headers that go on the response, in all cases: CORS and the request id. */
  readonly addedHeaders: RawHeaders;
  /** What is known of the request so far. A conversion that breaks says so here. */
  readonly record: RecordFields;
  /**
   * Writes the one record of this request and releases what it holds. A second call does nothing.
   */
  end(outcome: Outcome): void;
}

/** A JSON response. */
export function json(value: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(value), {
    status,
    headers: { 'content-type': 'application/json', ...headers },
  });
}

/** The response that tells a caller of a failure. */
export function failureResponse(failure: Failure): Response {
  return json(errorBody(failure), failure.status, { ...failure.headers });
}
