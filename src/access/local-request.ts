import { listItems } from '../http/header-list.ts';
import { headerOf, isKeyProtocol, type RawHeaders } from '../http/headers.ts';
import { mayBePublicHost } from '../http/public-address.ts';
import type { RequestHead } from '../http/request.ts';

/** The `Host` of a request in lower case; undefined if it has none or several. */
export function soleHost(head: RequestHead): string | undefined {
  const host = head.get('host')?.toLowerCase();
  const { rawHeaders } = head;
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2)
    if ((rawHeaders[i] as string).length === 4 && (rawHeaders[i] as string).toLowerCase() === 'host') count++;
  return count > 1 ? undefined : host;
}

/** Whether a `Host` value names this machine by a loopback address. */
export function isLoopbackHost(host: string | undefined): boolean {
  const name = hostname(host);
  return name !== null && isLoopbackName(name);
}

/**
 * Whether a `Host` value names a machine of the local network. A page that rebound its own name to
 * a private address (DNS rebinding) has a public name.
 */
export function isLocalHost(host: string | undefined): boolean {
  const name = hostname(host);
  return name !== null && name !== '' && !mayBePublicHost(name);
}

/** Whether an origin is a page that a program on this machine serves. */
export function isLoopbackOrigin(origin: string): boolean {
  const match = /^https?:\/\/([^/?#@\\]+)$/i.exec(origin);
  return match !== null && isLoopbackHost((match[1] as string).toLowerCase());
}

/** The name in a `Host` value, without its port; null if the value is not a valid one. */
function hostname(host: string | undefined): string | null {
  const match = host === undefined ? null : /^([a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?$/i.exec(host);
  if (match === null || Number(match[2] ?? 0) > 65_535) return null;
  return (match[1] as string).toLowerCase();
}

function isLoopbackName(name: string): boolean {
  if (name === 'localhost' || name === '[::1]') return true;
  const parts = name.split('.');
  return (
    parts.length === 4 &&
    parts[0] === '127' &&
    parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)
  );
}

/** Headers that proxies and content networks add. A program on this machine sends none of them. */
const proxyHeaders = [
  'forwarded',
  'via',
  'x-real-ip',
  'x-client-ip',
  'true-client-ip',
  'cf-connecting-ip',
  'cf-ray',
  'cdn-loop',
  'fly-client-ip',
  'x-original-forwarded-for',
  'x-envoy-external-address',
  'x-cluster-client-ip',
];

/**
 * Whether a proxy forwarded the request. A proxy that adds no header at all cannot be recognized.
 */
export function cameThroughProxy(rawHeaders: RawHeaders): boolean {
  if (proxyHeaders.some((name) => headerOf(rawHeaders, name) !== undefined)) return true;
  for (let i = 0; i < rawHeaders.length; i += 2)
    if ((rawHeaders[i] as string).slice(0, 12).toLowerCase() === 'x-forwarded-') return true;
  return false;
}

const keyHeaders = ['authorization', 'x-api-key', 'api-key', 'x-openai-key'];

/** Whether a request presents any key. A preflight presents the headers that it asks for. */
export function presentsKey(head: RequestHead): boolean {
  if (keyHeaders.some((name) => (head.get(name) ?? '').trim() !== '')) return true;
  const protocols = head.get('sec-websocket-protocol');
  if (protocols !== undefined && listItems(protocols).some(isKeyProtocol)) return true;
  const requested = head.method === 'OPTIONS' ? head.get('access-control-request-headers') : undefined;
  return (
    requested !== undefined && listItems(requested.toLowerCase()).some((name) => keyHeaders.includes(name))
  );
}
