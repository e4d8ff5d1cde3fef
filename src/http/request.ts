import type { RawHeaders } from './headers.ts';

/**
 * What is known of a request before its body. Admission and most of routing need no more, so a platform can give it
 * without building a `Request`.
 */
export interface RequestHead {
  readonly method: string;
  /** The request target as it came: path and query, or a whole URL in absolute form. */
  readonly target: string;
  readonly rawHeaders: RawHeaders;
  /** A header's value by its lower-case name; the first where it came more than once. */
  get(name: string): string | undefined;
}

/** A request as a platform hands it over: its head at once, its body only when asked for, and only once. */
export interface Incoming {
  readonly head: RequestHead;
  /** How this caller's connection reached us, proxies not considered. */
  readonly scheme: 'http' | 'https';
  readonly hasBody: boolean;
  /** Aborted when the caller leaves. */
  readonly signal: AbortSignal;
  /** The body as it arrives. */
  stream(): ReadableStream<Uint8Array> | null;
  /** The whole body; fails with a 413 beyond `limit` bytes. */
  read(limit: number): Promise<Uint8Array>;
}
