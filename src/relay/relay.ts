import type { RawHeaders } from '../http/headers.ts';
import type { Semaphore } from './semaphore.ts';

/** Seconds, each 0 for no limit. */
export type Timeouts = {
  readonly connect: number;
  readonly firstByte: number;
  readonly idle: number;
  readonly total: number;
};

/** What becomes of the upstream's answer where the caller leaves: it is cut off at once, or read to its end within limits. */
export type WhenCallerLeaves = 'cancel' | { readonly seconds: number; readonly bytes: number };

/** One upstream to ask, and how. */
export type UpstreamRequest = {
  /** The upstream's name in the settings. */
  readonly upstream: string;
  /** What its failures are remembered by: the upstream, and which of its keys. */
  readonly id: string;
  /** Scheme, host and port. */
  readonly origin: string;
  /** Path and query, exactly as they go on the request line. */
  readonly path: string;
  readonly headers: RawHeaders;
  /** Bytes (they were read, and can be sent again), `incoming` (the caller's bytes as they arrive) or null. */
  readonly body: Uint8Array | 'incoming' | null;
  readonly timeouts: Timeouts;
  readonly whenCallerLeaves: WhenCallerLeaves;
  /** How many may be asked at once; null for any number. */
  readonly slots: Semaphore | null;
};

/** How a hop did: it answered, it failed, or it wants to be left alone for a while (in milliseconds). */
export type AttemptResult = 'ok' | 'failed' | { readonly coolDownMs: number };

/**
 * The plan of a request that is carried to an upstream as it is, its answer carried back as it comes. The platform carries it out: it asks
 * one hop after the other until an answer is worth keeping, and after its first byte it never asks another.
 */
export class Relay {
  readonly kind = 'relay';
  readonly method: string;
  readonly requests: readonly [UpstreamRequest, ...UpstreamRequest[]];
  /** How often all of the hops are asked again, after a pause. */
  readonly retries: number;
  /** Whether the request may be sent twice though the first was read: it only reads, or only asks for an answer. */
  readonly repeatable: boolean;
  /** Told how each hop did. */
  readonly report: (hop: UpstreamRequest, result: AttemptResult) => void;

  constructor(
    method: string,
    hops: readonly [UpstreamRequest, ...UpstreamRequest[]],
    more: Partial<Pick<Relay, 'retries' | 'repeatable' | 'report'>> = {},
  ) {
    this.method = method;
    this.requests = hops;
    this.retries = more.retries ?? 0;
    this.repeatable = more.repeatable ?? false;
    this.report = more.report ?? (() => {});
  }
}

/** The plan of a WebSocket: the handshake is carried to the upstream, then bytes go both ways untouched. */
export class Tunnel {
  readonly kind = 'tunnel';
  readonly method = 'GET';
  readonly requests: readonly [UpstreamRequest];
  readonly retries = 0;
  readonly repeatable = false;
  readonly report: Relay['report'];

  constructor(hop: UpstreamRequest, note: Relay['report'] = () => {}) {
    this.requests = [hop];
    this.report = note;
  }
}

/** How often a redirect that stays on the upstream's own host is followed. */
export const maxRedirects = 3;

/**
 * Where a redirect leads, if it may be followed: a GET or HEAD that stays on the same origin. Anything else is the caller's to
 * follow, so that no key and no body ever goes to a host that the owner did not name.
 */
export function sameHostRedirect(
  method: string,
  hop: UpstreamRequest,
  status: number,
  location: string | undefined,
): UpstreamRequest | null {
  if (status < 301 || status > 308 || (status > 303 && status < 307) || !location) return null;
  if (method !== 'GET' && method !== 'HEAD') return null;
  const target = URL.parse(location, hop.origin + hop.path);
  if (!target || target.origin !== hop.origin) return null;
  return { ...hop, path: target.pathname + target.search };
}
