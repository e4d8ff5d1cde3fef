import { errorBody, type Failure } from './http/failure.ts';
import type { RawHeaders } from './http/headers.ts';
import type { Relay, Tunnel } from './relay/relay.ts';

/** What a route gives back. A Relay or a Tunnel is a plan: the platform carries it out. */
export type Reply = Response | Relay | Tunnel;

/** Statuses whose answers have no body. */
export const nullBodyStatuses: ReadonlySet<number> = new Set([101, 204, 205, 304]);

/** Who or what ended an answer. */
export type EndedBy = 'done' | 'client' | 'upstream' | 'timeout' | 'gateway';

/** How an answer went, told by the platform once it is over. Times in milliseconds since the request came in. */
export type Outcome = {
  readonly status: number;
  /** Body bytes sent to the caller; null where the runtime does not tell. */
  readonly bytes: number | null;
  readonly firstByteMs: number | null;
  readonly endedBy: EndedBy;
  readonly error?: string;
  /** Who gave the answer, and how many were asked for it, where that is not what was planned. */
  readonly upstream?: string;
  readonly attempts?: number;
};

/** A request that has been decided: what to answer, and whom to tell how it went. */
export interface Exchange {
  readonly id: string;
  readonly startedAt: number;
  readonly reply: Reply;
  /** Headers that go on the answer, whoever gives it: CORS and the request id. */
  readonly addedHeaders: RawHeaders;
  /** Writes the one record of this request. */
  end(outcome: Outcome): void;
}

/** An answer of JSON. */
export function json(value: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(value), {
    status,
    headers: { 'content-type': 'application/json', ...headers },
  });
}

/** The answer that tells a caller of a failure. */
export function failureResponse(failure: Failure): Response {
  return json(errorBody(failure), failure.status, { ...failure.headers });
}
