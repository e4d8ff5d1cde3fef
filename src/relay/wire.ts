import type { Failure } from '../http/failure.ts';
import type { RawHeaders } from '../http/headers.ts';
import type { UpstreamRequest } from './relay.ts';

/**
 * What a runtime does for a transfer. There are two implementations: undici and `ServerResponse`,
 * and `fetch` and web streams. A wire calls the inputs of its transfer (`head`, `data`, `end`, …);
 * it never decides anything.
 */
export interface Wire {
  /** Monotonic time in milliseconds. May lag by the precision of the runtime's shared timer. */
  now(): number;
  /** Sends a request. The wire answers with `head`, then `data` and `end`, or with `error`. */
  send(request: UpstreamRequest): void;
  /** Gives up the request that was sent last. Nothing of it reaches the transfer any more. */
  abort(reason: Error): void;
  /** Starts the response. May throw if a header is not allowed. */
  writeHead(status: number, headers: RawHeaders): void;
  /** Writes body bytes. The wire itself holds the upstream back while the client does not read. */
  write(chunk: Uint8Array): void;
  /** Whether the client reads too slowly, so that nothing more should be written. */
  readonly isBlocked: boolean;
  /** Whether the upstream, and not the client, holds up the request body. */
  readonly isUploadBlocked: boolean;
  /** Ends a complete response. */
  finish(): void;
  /** Ends an incomplete response: sends what was written, then closes the connection. */
  cut(): void;
  /** Sends a whole error response. Called only before `writeHead`. */
  refuse(failure: Failure): void;
  /** Keeps reading the upstream although the client has left. */
  readOn(): void;
  /** Calls `tick` once, after so many milliseconds. Replaces the earlier wish. */
  wake(ms: number): void;
  /** The transfer is over: no timer is needed any more. */
  close(): void;
}
