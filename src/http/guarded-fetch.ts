import type { Http } from '../ports/http.ts';
import { withTimeout } from '../streams/with-timeout.ts';
import { Failure } from './failure.ts';
import { mayBePublicHost } from './public-address.ts';

export type GuardOptions = {
  /** `host:port` pairs that may be reached although they are private: FILE_FETCH_ALLOW, and whom the owner configured. */
  readonly allow: ReadonlySet<string>;
  /** Seconds to the head of an answer, redirects included. */
  readonly timeoutSeconds: number;
};

const maxRedirects = 5;
const maxUrlLength = 8192;

/** What may be said of a request that goes to an address somebody gave. Nothing of the caller's, and no key, is in it. */
export type GuardedRequest = {
  readonly method?: 'GET' | 'PUT';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly signal?: AbortSignal;
};

/**
 * Asks an address that a caller or an upstream gave. Only http and https; only addresses of the open internet, looked at when the
 * connection is made; each redirect looked at again; no credentials, no cookies. Throws a 400 for an address that may not be asked,
 * a 502 or 504 where it does not answer. The body is unread: whoever reads it says how much.
 */
export async function guardedFetch(
  http: Pick<Http, 'fetchPublic'>,
  address: string,
  options: GuardOptions,
  request: GuardedRequest = {},
): Promise<Response> {
  const late = new AbortController();
  const signal = request.signal ? AbortSignal.any([request.signal, late.signal]) : late.signal;
  const expired = () => {
    late.abort();
    return new Failure('upstream_timeout', `It gave no answer within ${options.timeoutSeconds} seconds.`);
  };
  return withTimeout(follow(http, address, options, { ...request, signal }), options.timeoutSeconds, expired);
}

async function follow(
  http: Pick<Http, 'fetchPublic'>,
  address: string,
  { allow }: GuardOptions,
  request: GuardedRequest,
): Promise<Response> {
  let url = parsed(address);
  for (let redirects = 0; ; redirects++) {
    const isAllowed = allow.has(hostAndPort(url));
    if (!isAllowed && !mayBePublicHost(url.hostname)) throw forbidden();
    const answer = await http.fetchPublic(url, outgoing(request), isAllowed).catch((error: unknown) => {
      throw failureIn(error) ?? new Failure('upstream_error', 'It could not be reached.', { cause: error });
    });
    const location = answer.headers.get('location');
    if (![301, 302, 303, 307, 308].includes(answer.status) || location === null || request.method === 'PUT')
      return answer;
    await answer.body?.cancel();
    if (redirects === maxRedirects) throw new Failure('upstream_error', 'It redirects too often.');
    url = parsed(location, url);
  }
}

function outgoing({ method = 'GET', headers = {}, body, signal }: GuardedRequest): RequestInit {
  return {
    method,
    // Bytes as they are: what is packed would have to be unpacked before it can be measured.
    headers: { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'sluice', ...headers },
    redirect: 'manual',
    ...(body ? { body: body as BodyInit } : {}),
    ...(signal ? { signal } : {}),
  };
}

/** The refusal that a connection was given up with, however deep it stands. */
function failureIn(error: unknown, depth = 4): Failure | null {
  if (error instanceof Failure) return error;
  return depth > 0 && error instanceof Error ? failureIn(error.cause, depth - 1) : null;
}

function parsed(address: string, base?: URL): URL {
  const url = address.length > maxUrlLength ? null : URL.parse(address, base);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new Failure('invalid_request', 'It must be an http:// or https:// address.');
  if (url.username !== '' || url.password !== '')
    throw new Failure('invalid_request', 'An address with a user name in it is not asked.');
  return url;
}

/** How `FILE_FETCH_ALLOW` names the host of an address: always with its port. */
export function hostAndPort(url: URL): string {
  return `${url.hostname}:${url.port || (url.protocol === 'https:' ? '443' : '80')}`;
}

/** Says nothing of why: whether a private address exists is nobody's business. */
export function forbidden(): Failure {
  return new Failure(
    'invalid_request',
    'The gateway does not fetch from private or local addresses. FILE_FETCH_ALLOW at the gateway makes exceptions, as host:port.',
  );
}
