import type { Http } from '../ports/http.ts';
import { withTimeout } from '../streams/with-timeout.ts';
import { Failure } from './failure.ts';
import { mayBePublicHost } from './public-address.ts';

export type GuardOptions = {
  /**
   * Private `host:port` pairs that may be reached: FILE_FETCH_ALLOW, and upstreams of the settings.
   */
  readonly allow: ReadonlySet<string>;
  /** Seconds to the head of the response, redirects included. */
  readonly timeoutSeconds: number;
};

const maxRedirects = 5;
const maxUrlLength = 8192;

/**
 * A request to an address that a caller or an upstream named. It holds nothing of the caller's, and
 * no key.
 */
export type GuardedRequest = {
  readonly method?: 'GET' | 'PUT';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly signal?: AbortSignal;
};

/**
 * Fetches from an address that a caller or an upstream named. Only http and https, and only
 * addresses of the open internet, checked when the connection is made. Each redirect is checked
 * again. No credentials, no cookies. Throws a 400 for an address that is not allowed, a 502 or 504
 * if it does not respond. The body is not read: the caller of this function limits it.
 */
export async function guardedFetch(
  http: Pick<Http, 'fetchPublic'>,
  address: string,
  options: GuardOptions,
  request: GuardedRequest = {},
): Promise<Response> {
  const timeout = new AbortController();
  const signal = request.signal ? AbortSignal.any([request.signal, timeout.signal]) : timeout.signal;
  const expired = () => {
    timeout.abort();
    return new Failure('upstream_timeout', `It did not respond within ${options.timeoutSeconds} seconds.`);
  };
  return withTimeout(follow(http, address, options, { ...request, signal }), options.timeoutSeconds, expired);
}

async function follow(
  http: Pick<Http, 'fetchPublic'>,
  address: string,
  { allow }: GuardOptions,
  request: GuardedRequest,
): Promise<Response> {
  let url = parseUrl(address);
  for (let redirects = 0; ; redirects++) {
    const isAllowed = allow.has(hostAndPort(url));
    if (!isAllowed && !mayBePublicHost(url.hostname)) throw forbidden();
    const response = await http.fetchPublic(url, outgoing(request), isAllowed).catch((error: unknown) => {
      throw causedBy(error) ?? new Failure('upstream_error', 'It could not be reached.', { cause: error });
    });
    const location = response.headers.get('location');
    if (![301, 302, 303, 307, 308].includes(response.status) || location === null || request.method === 'PUT')
      return response;
    await response.body?.cancel();
    if (redirects === maxRedirects) throw new Failure('upstream_error', 'It redirects too often.');
    url = parseUrl(location, url);
  }
}

function outgoing({ method = 'GET', headers = {}, body, signal }: GuardedRequest): RequestInit {
  return {
    method,
    // No compression: the size limit is checked on the bytes that arrive.
    headers: { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'sluice', ...headers },
    redirect: 'manual',
    ...(body ? { body: body as BodyInit } : {}),
    ...(signal ? { signal } : {}),
  };
}

/** The failure among the causes of an error; null if there is none. */
function causedBy(error: unknown, depth = 4): Failure | null {
  if (error instanceof Failure) return error;
  return depth > 0 && error instanceof Error ? causedBy(error.cause, depth - 1) : null;
}

function parseUrl(address: string, base?: URL): URL {
  const url = address.length > maxUrlLength ? null : URL.parse(address, base);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new Failure('invalid_request', 'It must be an http:// or https:// address.');
  if (url.username !== '' || url.password !== '')
    throw new Failure(
      'invalid_request',
      'An address with a user name is not fetched from. Remove the user name.',
    );
  return url;
}

/** The host of an address as `FILE_FETCH_ALLOW` names it: always with its port. */
export function hostAndPort(url: URL): string {
  return `${url.hostname}:${url.port || (url.protocol === 'https:' ? '443' : '80')}`;
}

/** The refusal of a private address. It does not say whether the address exists. */
export function forbidden(): Failure {
  return new Failure(
    'invalid_request',
    'The gateway does not fetch from private or local addresses. FILE_FETCH_ALLOW at the gateway makes exceptions, as host:port.',
  );
}
