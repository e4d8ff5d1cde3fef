import { Failure } from '../http/failure.ts';
import type { RawHeaders } from '../http/headers.ts';
import { mayBePublicHost } from '../http/public-address.ts';
import type { RequestHead } from '../http/request.ts';
import {
  cameThroughProxy,
  isLocalHost,
  isLoopbackHost,
  isLoopbackOrigin,
  presentsKey,
  soleHost,
} from './local-request.ts';

/**
 * Which requests must come from this machine: none; all, since they use a server-side key that only
 * the loopback address guards; or those without a key, since a private upstream may need none.
 */
type LocalRule = 'none' | 'server-key' | 'private-upstream';

/** Who may call from a browser. Made once from the settings. */
export type OriginRules = {
  /** Origins that may call; `null` if any may. */
  readonly allowed: ReadonlySet<string> | null;
  /**
   * Whether a request without an origin is refused: the origin is all that guards a server-side
   * key.
   */
  readonly required: boolean;
  readonly local: LocalRule;
  /** The origin of PUBLIC_URL. */
  readonly own?: string | undefined;
};

type GuardSettings = {
  readonly accessKeys: readonly unknown[];
  readonly allowedOrigins: readonly string[];
  readonly publicRelay: boolean;
  readonly publicUrl?: string | undefined;
  /** The address the gateway listens on; empty on Workers, which have none. */
  readonly host?: string;
  readonly upstreams?: Readonly<Record<string, { readonly url: string; readonly keys: readonly unknown[] }>>;
};

/**
 * Derives the rules. A list of origins lets in its own. Without a list any origin may call if
 * callers bring their own keys: a page that a user happens to visit must use neither the
 * server-side key nor, through a gateway on loopback, an upstream in the private network.
 */
export function originRules(settings: GuardSettings, serverKey: boolean): OriginRules {
  const isGuarded = settings.accessKeys.length > 0 || settings.publicRelay;
  const own = settings.publicUrl ? URL.parse(settings.publicUrl)?.origin : undefined;
  const withOwn = (origins: readonly string[]) => new Set(own ? [...origins, own] : origins);
  const isList = settings.allowedOrigins.length > 0 && !settings.allowedOrigins.includes('*');
  if (isList) {
    const listed = settings.allowedOrigins.map((origin) => origin.toLowerCase());
    return { allowed: withOwn(listed), required: serverKey && !isGuarded, local: 'none' };
  }
  if (serverKey && !isGuarded) return { allowed: withOwn([]), required: false, local: 'server-key' };
  if (!isGuarded && settings.allowedOrigins.length === 0 && opensPrivateUpstream(settings))
    return { allowed: null, required: false, local: 'private-upstream', own };
  return { allowed: null, required: false, local: 'none' };
}

function opensPrivateUpstream({ host = '', upstreams = {} }: GuardSettings): boolean {
  if (!isLoopbackHost(host.includes(':') ? `[${host}]` : host)) return false;
  return Object.values(upstreams).some(({ url, keys }) => {
    const hostname = URL.parse(url)?.hostname;
    return keys.length === 0 && hostname !== undefined && !mayBePublicHost(hostname);
  });
}

/** Refuses a request that the origin rules keep out, with a 403 that names the setting. */
export function admitOrigin(head: RequestHead, rules: OriginRules): void {
  if (rules.local === 'server-key') admitForServerKey(head);
  if (rules.local === 'private-upstream') admitWithoutKey(head, rules.own);
  const origin = head.get('origin');
  if (origin === undefined) {
    if (!rules.required) return;
    throw new Failure(
      'forbidden',
      'This gateway answers only to the browser origins in ALLOWED_ORIGINS, and the request has no origin.',
    );
  }
  if (isAllowedOrigin(origin, head, rules)) return;
  throw new Failure(
    'forbidden',
    'The origin of this page may not call the gateway. Add it to ALLOWED_ORIGINS, as scheme://host[:port].',
  );
}

/**
 * Refuses requests that only look like requests of this machine: names that were rebound to it (DNS
 * rebinding), requests that a proxy forwards, and requests of a page of another site without an
 * `Origin` header (images, navigations).
 */
function admitForServerKey(head: RequestHead): void {
  if (cameThroughProxy(head.rawHeaders)) {
    throw new Failure(
      'forbidden',
      'This gateway answers only to programs on this machine, and the request came through a proxy. Set ACCESS_KEYS to open it to others.',
    );
  }
  const site = head.get('sec-fetch-site');
  const isForeign = head.get('origin') === undefined && (site === 'cross-site' || site === 'same-site');
  if (isForeign || !isLoopbackHost(soleHost(head))) {
    throw new Failure(
      'forbidden',
      'This gateway answers only to programs on this machine, by a loopback address. Set ACCESS_KEYS to open it to others.',
    );
  }
}

/**
 * Refuses a request without a key that a page of the internet may have started. An upstream on this
 * machine or in its network may need no key, and cannot see the page: the gateway removes its
 * origin.
 */
function admitWithoutKey(head: RequestHead, own: string | undefined): void {
  if (presentsKey(head)) return;
  const host = soleHost(head);
  const origin = head.get('origin');
  const isHere = isLocalHost(host) || (own !== undefined && own === `${URL.parse(own)?.protocol}//${host}`);
  const isOurPage =
    origin === undefined
      ? head.get('sec-fetch-site') !== 'cross-site'
      : origin.toLowerCase() === own || isLoopbackOrigin(origin) || isAppOrigin(origin);
  if (isHere && isOurPage) return;
  throw new Failure(
    'forbidden',
    'This gateway serves a private upstream, and answers requests without a key only to programs and pages on this machine. Send a key, or set ACCESS_KEYS or ALLOWED_ORIGINS at the gateway.',
  );
}

function isAllowedOrigin(origin: string, head: RequestHead, { allowed, local }: OriginRules): boolean {
  if (allowed === null || allowed.has(origin.toLowerCase())) return true;
  // The gateway's own page: it came from the address that it calls.
  const host = soleHost(head);
  return local === 'server-key' && isLoopbackHost(host) && origin.toLowerCase() === `http://${host}`;
}

/** Origins of programs with a built-in browser. No page of the web has one. */
function isAppOrigin(origin: string): boolean {
  return /^(?:app|file|tauri|vscode-webview|vscode-file):\/\//i.test(origin);
}

/** The CORS headers of every response, errors included, so that a page can read what went wrong. */
export function corsHeaders(head: RequestHead, rules: OriginRules): RawHeaders {
  if (rules.allowed === null) return anyOrigin;
  const origin = head.get('origin');
  if (origin === undefined || !isAllowedOrigin(origin, head, rules)) return ['vary', 'Origin'];
  return ['access-control-allow-origin', origin, 'access-control-expose-headers', '*', 'vary', 'Origin'];
}

/** Lets pages of any origin read a response. */
export const anyOrigin: RawHeaders = [
  'access-control-allow-origin',
  '*',
  'access-control-expose-headers',
  '*',
];

/**
 * Whether a request only asks what a browser may send. It carries no key and is answered before
 * authentication.
 */
export function isPreflight(head: RequestHead): boolean {
  return (
    head.method === 'OPTIONS' &&
    (head.get('origin') !== undefined || head.get('access-control-request-method') !== undefined)
  );
}

/** The headers of a preflight's 204. Every requested header is allowed: SDKs add their own. */
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
