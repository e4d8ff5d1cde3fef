import type { Credentials } from './access/credentials.ts';
import type { EndedBy } from './http/ended-by.ts';
import type { Incoming } from './http/request.ts';

/** One request being served: made once, passed down, never stored. */
export interface Call {
  readonly id: string;
  readonly incoming: Incoming;
  readonly method: string;
  /** The canonical path: it begins with `/v1/` or `/dashboard/`, or is one of our own. */
  readonly path: string;
  readonly search: string;
  readonly credentials: Credentials;
  /**
   * The whole body, which counts for MAX_HELD_BYTES until the request is over. A 413 beyond
   * `limit`.
   */
  readonly readBody: (limit: number) => Promise<Uint8Array>;
  /** Registers work that runs once the request is over, however it ended. */
  readonly whenOver: (work: () => void) => void;
  /** What the record of this request will say. Filled in on the way. */
  readonly record: RecordFields;
}

/** The fields of a request's record that are known before it ends. */
export interface RecordFields {
  route: string;
  /** Which key of this gateway the caller presented, by its name; null for none. */
  caller: string | null;
  /** The address of the client. */
  client: string | null;
  upstream: string | null;
  model: string | null;
  /** Upstreams and keys asked by a conversion, if more than one. */
  attempts?: number;
  /**
   * Set by a conversion whose response broke after its head: what went wrong, and on whose side.
   */
  error?: string;
  endedBy?: EndedBy;
}
