import type { Http } from '../ports/http.ts';
import { Failure } from './failure.ts';
import { forbidden, hostAndPort } from './guarded-fetch.ts';
import { mayBePublicHost } from './public-address.ts';

const maxUrlLength = 8192;

/**
 * Opens a WebSocket to an address that an upstream named. Only ws and wss; only addresses of the
 * open internet, checked again when the connection is made, and the `host:port` pairs in `allow`.
 * Throws a 502 for an address that cannot be one, and the refusal of `guardedFetch` for a private
 * one.
 */
export function guardedSocket(
  http: Pick<Http, 'openSocket'>,
  address: string,
  allow: ReadonlySet<string>,
): WebSocket {
  const url = address.length > maxUrlLength ? null : URL.parse(address);
  if (url === null || !/^wss?:$/.test(url.protocol) || url.username !== '' || url.password !== '')
    throw new Failure('upstream_error', 'The upstream named no socket to listen on.');
  const asHttp = new URL(url.href.replace(/^ws/, 'http'));
  const isAllowed = allow.has(hostAndPort(asHttp));
  if (!isAllowed && !mayBePublicHost(asHttp.hostname))
    throw new Failure(
      'upstream_error',
      'The upstream named a socket at a private address. FILE_FETCH_ALLOW at the gateway makes exceptions, as host:port.',
      { cause: forbidden() },
    );
  return http.openSocket(url, isAllowed);
}
