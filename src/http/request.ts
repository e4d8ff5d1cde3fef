import type { RawHeaders } from './headers.ts';

/**
 * A request without its body. Access control and most of routing need no more, so that a platform
 * can provide it without making a `Request`.
 */
export interface RequestHead {
  readonly method: string;
  /** The request target as it came: path and query, or a URL in absolute form. */
  readonly target: string;
  readonly rawHeaders: RawHeaders;
  /** The value of a header by its lower-case name; the first one if it is repeated. */
  get(name: string): string | undefined;
}

/** A request as a platform provides it. The body can be read once. */
export interface Incoming {
  readonly head: RequestHead;
  /** The scheme of the connection to the gateway itself, not of the one to a proxy before it. */
  readonly scheme: 'http' | 'https';
  /**
   * The address of the connection's other end, a client or a proxy; undefined if the runtime has
   * none.
   */
  readonly peerAddress?: string | undefined;
  readonly hasBody: boolean;
  /** Aborted when the client closes the connection. */
  readonly signal: AbortSignal;
  /** The body as it arrives. */
  stream(): ReadableStream<Uint8Array> | null;
  /**
   * The whole body; fails with a 413 beyond `limit` bytes. `onBytes` is called with the length of
   * each chunk. If it throws, the body is not read on, and the promise is rejected with its error.
   */
  read(limit: number, onBytes?: (bytes: number) => void): Promise<Uint8Array>;
}
