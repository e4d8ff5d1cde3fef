/**
 * Headers as they stand on the wire: name, value, name, value. Both carriers use this form, since it keeps order,
 * letter case and repeated names, which `Headers` does not.
 */
export type RawHeaders = readonly string[];

/** Headers that belong to one connection, not to the message (RFC 9110 §7.6.1). */
const connectionHeaders = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

/** Request headers that are the caller's affair with us, or that would tell the upstream about the caller's page or network. */
const privateRequestHeaders = new Set([
  ...connectionHeaders,
  'host',
  'expect',
  'content-length',
  'cookie',
  'authorization',
  'x-api-key',
  'api-key',
  'x-openai-key',
  'origin',
  'referer',
  'forwarded',
  'via',
  'x-real-ip',
  'x-client-ip',
  'true-client-ip',
  'cdn-loop',
  'access-control-request-method',
  'access-control-request-headers',
  'access-control-request-private-network',
]);

const privateRequestPrefixes = ['cf-', 'x-forwarded-', 'sec-fetch-'];

/** Headers that bill or scope a request; they go with the caller's own key and with no other. */
const accountHeaders = new Set(['openai-organization', 'openai-project', 'chatgpt-account-id']);

/** Answer headers that speak of the upstream's own connection, cookies or browser rules. */
const privateAnswerHeaders = new Set([
  ...connectionHeaders,
  'set-cookie',
  'set-cookie2',
  'alt-svc',
  'strict-transport-security',
  'public-key-pins',
  'report-to',
  'nel',
]);

/** The value of the first header called `name` (lower case). */
export function headerOf(pairs: RawHeaders, name: string): string | undefined {
  for (let i = 0; i < pairs.length; i += 2) {
    const candidate = pairs[i] as string;
    if (candidate.length === name.length && candidate.toLowerCase() === name) return pairs[i + 1];
  }
  return undefined;
}

function nominatedBy(connection: string | undefined): readonly string[] {
  if (!connection || connection === 'keep-alive' || connection === 'close') return [];
  return connection.toLowerCase().split(/\s*,\s*/);
}

/**
 * The headers of a request as the upstream gets them: what is the connection's or the caller's own affair is left out,
 * the upstream's key goes in. `ownKey` says that the key is the caller's, so that account headers may go along.
 */
export function requestHeaders(pairs: RawHeaders, key: string | null, ownKey: boolean): string[] {
  const nominated = nominatedBy(headerOf(pairs, 'connection'));
  const out: string[] = [];
  for (let i = 0; i < pairs.length; i += 2) {
    const raw = pairs[i] as string;
    const name = raw.toLowerCase();
    if (privateRequestHeaders.has(name) || nominated.includes(name)) continue;
    if (privateRequestPrefixes.some((prefix) => name.startsWith(prefix))) continue;
    if (!ownKey && accountHeaders.has(name)) continue;
    if (name === 'sec-websocket-protocol') {
      const offered = withoutKeyProtocol(pairs[i + 1] as string);
      if (offered) out.push(raw, offered);
      continue;
    }
    out.push(raw, pairs[i + 1] as string);
  }
  if (key !== null) out.push('authorization', `Bearer ${key}`);
  return out;
}

/** A WebSocket subprotocol of this form carries a key: browsers cannot set headers on a WebSocket. */
export const keyProtocol = 'openai-insecure-api-key.';

function withoutKeyProtocol(value: string): string {
  return value
    .split(/\s*,\s*/)
    .filter((protocol) => !protocol.startsWith(keyProtocol))
    .join(', ');
}

/**
 * The response headers for the caller: the upstream's, with `added` (CORS, request id) on top. The
 * upstream's own `x-request-id` is kept. An event stream is marked so that no proxy buffers or
 * changes it. `dropLength` leaves `content-length` out, because bytes may be added.
 */
export function responseHeaders(
  headers: RawHeaders,
  added: RawHeaders,
  eventStream: boolean,
  { dropLength = false }: { readonly dropLength?: boolean } = {},
): string[] {
  const nominated = nominatedBy(headerOf(headers, 'connection'));
  const out: string[] = [];
  let requestId = false;
  for (let i = 0; i < headers.length; i += 2) {
    const raw = headers[i] as string;
    const name = raw.toLowerCase();
    if (privateAnswerHeaders.has(name) || nominated.includes(name)) continue;
    if (name.startsWith('access-control-')) continue;
    if (dropLength && name === 'content-length') continue;
    if (eventStream && (name === 'cache-control' || name === 'x-accel-buffering')) continue;
    if (name === 'x-request-id') requestId = true;
    out.push(raw, headers[i + 1] as string);
  }
  for (let i = 0; i < added.length; i += 2) {
    if (requestId && added[i] === 'x-request-id') continue;
    out.push(added[i] as string, added[i + 1] as string);
  }
  if (eventStream) out.push('cache-control', 'no-cache, no-transform', 'x-accel-buffering', 'no');
  return out;
}

/** Whether an answer is a stream of server-sent events. */
export function isEventStream(contentType: string | undefined | null): boolean {
  return contentType?.slice(0, 17).toLowerCase() === 'text/event-stream';
}
