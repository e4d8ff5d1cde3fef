import type { HeaderPairs } from './headers.ts';

/** Seconds, each 0 for no limit. */
export type Timeouts = {
  readonly connect: number;
  readonly firstByte: number;
  readonly idle: number;
  readonly total: number;
};

/** One upstream to ask, and how. */
export type Hop = {
  /** The upstream's name in the settings. */
  readonly upstream: string;
  /** Scheme, host and port. */
  readonly origin: string;
  /** Path and query, exactly as they go on the request line. */
  readonly path: string;
  readonly headers: HeaderPairs;
};

/**
 * The plan of a request that is carried to an upstream as it is, its answer carried back as it comes. The platform
 * carries it out. `body` is bytes (they were read, and can be sent again), `incoming` (the caller's bytes as they arrive) or null.
 */
export class Relay {
  readonly kind = 'relay';
  readonly method: string;
  readonly hop: Hop;
  readonly body: Uint8Array | 'incoming' | null;
  readonly timeouts: Timeouts;

  constructor(method: string, hop: Hop, body: Uint8Array | 'incoming' | null, timeouts: Timeouts) {
    this.method = method;
    this.hop = hop;
    this.body = body;
    this.timeouts = timeouts;
  }
}

/** The plan of a WebSocket: the handshake is carried to the upstream, then bytes go both ways untouched. */
export class Tunnel {
  readonly kind = 'tunnel';
  readonly hop: Hop;
  readonly timeouts: Timeouts;

  constructor(hop: Hop, timeouts: Timeouts) {
    this.hop = hop;
    this.timeouts = timeouts;
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
  hop: Hop,
  status: number,
  location: string | undefined,
): Hop | null {
  if (status < 301 || status > 308 || (status > 303 && status < 307) || !location) return null;
  if (method !== 'GET' && method !== 'HEAD') return null;
  const target = URL.parse(location, hop.origin + hop.path);
  if (!target || target.origin !== hop.origin) return null;
  return { ...hop, path: target.pathname + target.search };
}
