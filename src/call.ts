import type { Credentials } from './access/credentials.ts';
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
  /** Has something done once the request is over, however it ended. */
  readonly whenOver: (work: () => void) => void;
  /** What the log line of this request will say; filled in on the way. */
  readonly record: RecordFields;
}

export interface RecordFields {
  route: string;
  upstream: string | null;
  model: string | null;
}
