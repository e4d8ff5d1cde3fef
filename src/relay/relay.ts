import type { RawHeaders } from '../http/headers.ts';
import type { HeartbeatStyle } from './heartbeat.ts';
import type { Semaphore } from './semaphore.ts';

/** Seconds, each 0 for no limit. */
export type Timeouts = {
  readonly connect: number;
  readonly firstByte: number;
  readonly idle: number;
  readonly total: number;
};

/**
 * What happens to the upstream's response if the caller leaves: cancelled, or read on within
 * limits.
 */
export type WhenCallerLeaves = 'cancel' | { readonly seconds: number; readonly bytes: number };

/** One request to one upstream with one of its keys. */
export type UpstreamRequest = {
  /** The upstream's name in the settings. */
  readonly upstream: string;
  /** Its failures are counted under this id: the upstream, and which of its keys. */
  readonly id: string;
  /** Scheme, host and port. */
  readonly origin: string;
  /** Path and query, exactly as they go on the request line. */
  readonly path: string;
  readonly headers: RawHeaders;
  /**
   * Bytes (they were read, and can be sent again), `incoming` (the caller's bytes as they arrive)
   * or null.
   */
  readonly body: Uint8Array | 'incoming' | null;
  readonly timeouts: Timeouts;
  readonly whenCallerLeaves: WhenCallerLeaves;
  /** Limits how many requests are open at once; null for no limit. */
  readonly slots: Semaphore | null;
  /**
   * The server-side key that is sent. It must not come back in the response. Null for the caller's
   * own key.
   */
  readonly secret: string | null;
};

/** How an attempt ended: it answered, it failed, or it asked for a pause in milliseconds. */
export type AttemptResult = 'ok' | 'failed' | { readonly coolDownMs: number };

type RelayOptions = {
  readonly retries: number;
  readonly repeatable: boolean;
  readonly heartbeat: HeartbeatStyle;
  readonly model: string | null;
  readonly report: (request: UpstreamRequest, result: AttemptResult) => void;
};

/**
 * The plan of a request that is relayed to an upstream unchanged, with the response relayed back.
 * The platform runs it: it sends the requests in order until a response is worth keeping. After
 * the first byte of a response it never sends another.
 */
export class Relay {
  readonly kind = 'relay';
  readonly method: string;
  readonly requests: readonly [UpstreamRequest, ...UpstreamRequest[]];
  /** How often all requests are sent again, after a pause. */
  readonly retries: number;
  /**
   * Whether the request may be sent twice although the first was read: it only reads, or asks for
   * inference.
   */
  readonly repeatable: boolean;
  /** What fills the silence if the response is an event stream. */
  readonly heartbeat: HeartbeatStyle;
  /** The model asked for, if the body was read. */
  readonly model: string | null;
  /** Takes the result of each attempt. */
  readonly report: RelayOptions['report'];

  constructor(
    method: string,
    requests: readonly [UpstreamRequest, ...UpstreamRequest[]],
    options: Partial<RelayOptions> = {},
  ) {
    this.method = method;
    this.requests = requests;
    this.retries = options.retries ?? 0;
    this.repeatable = options.repeatable ?? false;
    this.heartbeat = options.heartbeat ?? 'comment';
    this.model = options.model ?? null;
    this.report = options.report ?? (() => {});
  }
}

/**
 * The plan of a WebSocket: the handshake is relayed to the upstream, then bytes pass both ways
 * unchanged.
 */
export class Tunnel {
  readonly kind = 'tunnel';
  readonly method = 'GET';
  readonly requests: readonly [UpstreamRequest];
  readonly retries = 0;
  readonly repeatable = false;
  readonly heartbeat = 'comment';
  readonly model = null;
  readonly report: Relay['report'];

  constructor(request: UpstreamRequest, report: Relay['report'] = () => {}) {
    this.requests = [request];
    this.report = report;
  }
}

/** How many redirects on the upstream's own host are followed. */
export const maxRedirects = 3;

/**
 * The request that a redirect leads to, if it may be followed: a GET or HEAD on the same origin.
 * Any other redirect goes to the caller, so no key and no body reaches a host that the owner did
 * not name.
 */
export function sameHostRedirect(
  method: string,
  request: UpstreamRequest,
  status: number,
  location: string | undefined,
): UpstreamRequest | null {
  if (status < 301 || status > 308 || (status > 303 && status < 307) || !location) return null;
  if (method !== 'GET' && method !== 'HEAD') return null;
  const target = URL.parse(location, request.origin + request.path);
  if (!target || target.origin !== request.origin) return null;
  return { ...request, path: target.pathname + target.search };
}
