import { listItems } from './header-list.ts';
import { holdsKey } from './key-in-text.ts';

/**
 * Headers as they stand on the wire: name, value, name, value. Both runtimes use this form: it
 * keeps order, letter case and repeated names, which `Headers` does not.
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

/**
 * Request headers that are for the gateway alone, or that tell about the caller's page or network.
 */
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

/** Headers that bill or scope a request. They are sent only with the caller's own key. */
const accountHeaders = new Set(['openai-organization', 'openai-project', 'chatgpt-account-id']);

/**
 * Response headers about the upstream's connection or cookies, or that would act on the gateway's
 * origin.
 */
const privateResponseHeaders = new Set([
  ...connectionHeaders,
  'set-cookie',
  'set-cookie2',
  'alt-svc',
  'strict-transport-security',
  'public-key-pins',
  'report-to',
  'reporting-endpoints',
  'nel',
  'clear-site-data',
  'service-worker-allowed',
  'refresh',
]);

/** The value of the first header called `name` (lower case). */
export function headerOf(pairs: RawHeaders, name: string): string | undefined {
  for (let i = 0; i < pairs.length; i += 2) {
    const candidate = pairs[i] as string;
    if (candidate.length === name.length && candidate.toLowerCase() === name) return pairs[i + 1];
  }
  return undefined;
}

/**
 * Names of the headers that the `Connection` headers nominate (RFC 9110 §7.6.1), in lower case.
 * A message may have several `Connection` headers.
 */
function nominatedBy(pairs: RawHeaders): readonly string[] {
  let names: string[] | null = null;
  for (let i = 0; i < pairs.length; i += 2) {
    const name = pairs[i] as string;
    if (name.length !== 10 || name.toLowerCase() !== 'connection') continue;
    const value = pairs[i + 1] as string;
    if (value === '' || value === 'keep-alive' || value === 'close') continue;
    names ??= [];
    for (const item of listItems(value)) names.push(item.toLowerCase());
  }
  return names ?? none;
}

const none: readonly string[] = [];

/** What a request to an upstream is made with. */
export type RequestOptions = {
  /** The key for the upstream; null if it needs none. */
  readonly key: string | null;
  /** Whether the key is the caller's, so that the account headers may go with it. */
  readonly isOwnKey: boolean;
  /** The access key that the caller presented: no header that holds it leaves the gateway. */
  readonly accessKey?: string | null;
};

/**
 * The headers of a request as the upstream gets them. Headers of the connection and headers that
 * are private to the caller are left out. The upstream's key is added.
 */
export function requestHeaders(pairs: RawHeaders, options: RequestOptions): string[] {
  const { key, isOwnKey, accessKey = null } = options;
  const nominated = nominatedBy(pairs);
  const out: string[] = [];
  let authorization = key === null ? null : `Bearer ${key}`;
  for (let i = 0; i < pairs.length; i += 2) {
    const raw = pairs[i] as string;
    const value = pairs[i + 1] as string;
    const name = raw.toLowerCase();
    // A caller's own Authorization header of another scheme is sent as it came.
    if (name === 'authorization' && isOwnKey && value.trim() === key) authorization = value.trim();
    if (privateRequestHeaders.has(name) || nominated.includes(name)) continue;
    if (privateRequestPrefixes.some((prefix) => name.startsWith(prefix))) continue;
    if (!isOwnKey && accountHeaders.has(name)) continue;
    if (name === 'sec-websocket-protocol') {
      const offered = withoutKeyProtocols(value, accessKey);
      if (offered) out.push(raw, offered);
      continue;
    }
    if (accessKey !== null && (holdsKey(value, accessKey) || holdsKey(raw, accessKey))) continue;
    out.push(raw, value);
  }
  if (authorization !== null) out.push('authorization', authorization);
  return out;
}

/**
 * A WebSocket subprotocol of this form carries a key: browsers cannot set headers on a WebSocket.
 */
export const keyProtocol = 'openai-insecure-api-key.';

/** Whether a subprotocol carries a key. Letter case does not matter. */
export function isKeyProtocol(protocol: string): boolean {
  return protocol.slice(0, keyProtocol.length).toLowerCase() === keyProtocol;
}

function withoutKeyProtocols(value: string, accessKey: string | null): string {
  return listItems(value)
    .filter((item) => !isKeyProtocol(item) && !(accessKey !== null && holdsKey(item, accessKey)))
    .join(', ');
}

type ResponseHeaderOptions = {
  /** Leaves `content-length` out, because bytes may be added. */
  readonly dropLength?: boolean;
  readonly secrets?: readonly string[];
};

/**
 * The headers of an upstream's response as the caller gets them, with `added` (CORS, request id) on
 * top. The upstream's own `x-request-id` is kept. An event stream is marked so that no proxy
 * buffers it. A header that holds one of `secrets`, the server-side keys of this request, is left
 * out.
 */
export function responseHeaders(
  pairs: RawHeaders,
  added: RawHeaders,
  eventStream: boolean,
  { dropLength = false, secrets = none }: ResponseHeaderOptions = {},
): string[] {
  const nominated = nominatedBy(pairs);
  const out: string[] = [];
  let requestId = false;
  for (let i = 0; i < pairs.length; i += 2) {
    const raw = pairs[i] as string;
    const value = pairs[i + 1] as string;
    const name = raw.toLowerCase();
    if (privateResponseHeaders.has(name) || nominated.includes(name)) continue;
    if (name.startsWith('access-control-')) continue;
    if (dropLength && name === 'content-length') continue;
    if (eventStream && (name === 'cache-control' || name === 'x-accel-buffering')) continue;
    if (secrets.some((secret) => holdsKey(value, secret))) continue;
    if (name === 'x-request-id') requestId = true;
    out.push(raw, value);
  }
  for (let i = 0; i < added.length; i += 2) {
    if (requestId && added[i] === 'x-request-id') continue;
    out.push(added[i] as string, added[i + 1] as string);
  }
  if (eventStream) out.push('cache-control', 'no-cache, no-transform', 'x-accel-buffering', 'no');
  return out;
}

/** Destinations for which a browser runs what it gets as a document in our origin. */
const documentDestinations = new Set(['document', 'iframe', 'frame', 'embed', 'object', 'fencedframe']);

/**
 * Headers that go on a relayed response if a browser would show it as a document. The sandbox gives
 * it an opaque origin and no scripts, so that it cannot use what the gateway's own pages can.
 */
export function documentHeaders(destination: string | undefined): RawHeaders {
  return destination !== undefined && documentDestinations.has(destination) ? sandboxed : none;
}

const sandboxed: RawHeaders = ['content-security-policy', 'sandbox', 'x-content-type-options', 'nosniff'];

/** Whether a response is a stream of server-sent events. */
export function isEventStream(contentType: string | undefined | null): boolean {
  return contentType?.slice(0, 17).toLowerCase() === 'text/event-stream';
}
