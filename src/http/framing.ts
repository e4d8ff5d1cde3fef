import { Failure } from './failure.ts';
import { listItems } from './header-list.ts';
import type { RawHeaders } from './headers.ts';

const hostValue = /^(?:[a-z0-9_.~!$&'()*+,;=%-]*|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i;

/**
 * Says what makes a request ambiguous that Node's parser accepts; null if nothing does. Two
 * programs could read another host or another body from it (RFC 9112 §3.2, §6.1).
 */
export function framingFault(rawHeaders: RawHeaders, httpVersion: string): Failure | null {
  let host: string | null = null;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] as string).toLowerCase();
    const value = (rawHeaders[i + 1] as string).trim();
    if (name === 'host') {
      if (host !== null) return invalid('The request has two Host headers. Send one.');
      if (!hostValue.test(value)) return invalid('The Host header is not a valid host. Send host[:port].');
      host = value;
    } else if (name === 'transfer-encoding') {
      const codings = listItems(value.toLowerCase());
      if (codings.length !== 1 || codings[0] !== 'chunked')
        return invalid('The only Transfer-Encoding served is chunked. Send the body as it is, or chunked.');
    }
  }
  if (httpVersion !== '1.1' && httpVersion !== '1.0')
    return invalid('The gateway speaks HTTP/1.1 and HTTP/1.0. Name one of them in the request line.');
  if (host === null && httpVersion === '1.1')
    return invalid('The request has no Host header, which HTTP/1.1 requires. Send one.');
  return null;
}

function invalid(message: string): Failure {
  return new Failure('invalid_request', message);
}
