import { Failure } from '../http/failure.ts';
import type { RawHeaders } from '../http/headers.ts';
import type { RequestHead } from '../http/request.ts';

/** Who may call from a browser, worked out once from the settings. */
export type OriginRules = {
  /** Origins that may call; `null` where any may. */
  readonly allowed: ReadonlySet<string> | null;
  /** True where the origin is all that guards a server-side key, so that a request without one is refused. */
  readonly required: boolean;
  /** True where only this machine may ask: the server-side key is guarded by nothing but the loopback address. */
  readonly loopbackOnly: boolean;
};

type Guarded = {
  readonly accessKeys: readonly unknown[];
  readonly allowedOrigins: readonly string[];
  readonly publicRelay: boolean;
  readonly publicUrl?: string | undefined;
};

/**
 * Derives the rules: a list lets in its own; without one any origin may call, but only where callers bring a key of
 * their own, since a page that a user happens to visit must not spend the owner's.
 */
export function originRules(settings: Guarded, serverKey: boolean): OriginRules {
  const guardedByKey = settings.accessKeys.length > 0;
  const own = settings.publicUrl ? (URL.parse(settings.publicUrl)?.origin ?? null) : null;
  const withOwn = (origins: readonly string[]) => new Set(own ? [...origins, own] : origins);
  if (settings.allowedOrigins.length > 0 && !settings.allowedOrigins.includes('*')) {
    return {
      allowed: withOwn(settings.allowedOrigins.map((origin) => origin.toLowerCase())),
      required: serverKey && !guardedByKey && !settings.publicRelay,
      loopbackOnly: false,
    };
  }
  if (serverKey && !guardedByKey && !settings.publicRelay) {
    return { allowed: withOwn([]), required: false, loopbackOnly: true };
  }
  return { allowed: null, required: false, loopbackOnly: false };
}

/** Refuses, with a 403 that names the setting, a request that the origin rules keep out. */
export function admitOrigin(head: RequestHead, rules: OriginRules): void {
  const origin = head.get('origin');
  if (origin === undefined) {
    if (rules.required) {
      throw new Failure(
        'forbidden',
        'This gateway answers only to the browser origins in ALLOWED_ORIGINS, and the request names none.',
      );
    }
    if (rules.loopbackOnly && !isLoopbackHost(head.get('host'))) {
      throw new Failure(
        'forbidden',
        'This gateway answers only to this machine, by a loopback address. Set ACCESS_KEYS to open it to others.',
      );
    }
    return;
  }
  if (rules.allowed === null || rules.allowed.has(origin.toLowerCase())) return;
  if (rules.loopbackOnly && isOwnLoopbackOrigin(origin, head.get('host'))) return;
  throw new Failure(
    'forbidden',
    'The origin of this page may not call the gateway. Add it to ALLOWED_ORIGINS, as scheme://host[:port].',
  );
}

/** The page at our own loopback address: the name it gives for itself and the one it asked for are the same, and local. */
function isOwnLoopbackOrigin(origin: string, host: string | undefined): boolean {
  return isLoopbackHost(host) && origin.toLowerCase() === `http://${host?.toLowerCase()}`;
}

/** Whether a `Host` header names this machine; anything else on a loopback socket is a page that rebound its name. */
function isLoopbackHost(host: string | undefined): boolean {
  return host !== undefined && /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i.test(host);
}

/** The CORS headers that go on every answer, errors included, so that a browser can read what went wrong. */
export function corsHeaders(head: RequestHead, rules: OriginRules): RawHeaders {
  if (rules.allowed === null) return anyOrigin;
  const origin = head.get('origin');
  if (
    origin === undefined ||
    !(rules.allowed.has(origin.toLowerCase()) || isOwnLoopbackOrigin(origin, head.get('host')))
  ) {
    return ['vary', 'Origin'];
  }
  return ['access-control-allow-origin', origin, 'access-control-expose-headers', exposed, 'vary', 'Origin'];
}

const exposed = '*';
/** What lets pages of any origin read an answer. */
export const anyOrigin: RawHeaders = [
  'access-control-allow-origin',
  '*',
  'access-control-expose-headers',
  exposed,
];

/** Whether a request only asks what a browser may send; it carries no key and is answered before authentication. */
export function isPreflight(head: RequestHead): boolean {
  return (
    head.method === 'OPTIONS' &&
    (head.get('origin') !== undefined || head.get('access-control-request-method') !== undefined)
  );
}

/** The headers of a preflight's 204: what was asked for is allowed, whatever headers an SDK adds. */
export function preflightHeaders(head: RequestHead): RawHeaders {
  return [
    'access-control-allow-methods',
    head.get('access-control-request-method') ?? 'GET, POST, PUT, PATCH, DELETE, OPTIONS',
    'access-control-allow-headers',
    head.get('access-control-request-headers') ?? 'authorization, content-type',
    'access-control-max-age',
    '86400',
    'vary',
    'Access-Control-Request-Headers',
  ];
}
