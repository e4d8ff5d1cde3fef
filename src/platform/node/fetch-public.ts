import { type LookupAddress, lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { Readable } from 'node:stream';
import { Agent, type Dispatcher, request, WebSocket as UndiciWebSocket } from 'undici';
import { forbidden } from '../../http/guarded-fetch.ts';
import { isPublicAddress } from '../../http/public-address.ts';
import { toHeaders } from '../../http/raw-headers.ts';
import type { Http } from '../../ports/http.ts';
import { nullBodyStatuses } from '../../reply.ts';
import { pairsOf } from './header-pairs.ts';
import { type ProxyFor, throughProxy } from './outbound-proxy.ts';

/** How names are resolved: `dns.lookup`, or a test's function. */
type Resolve = (
  hostname: string,
  options: object,
  callback: (error: Error | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * Resolves a name to its public addresses only. The connection is made to an address from this
 * lookup, so the name cannot mean another machine a moment later.
 */
function publicLookup(resolve: Resolve): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '');
      const open = addresses.filter(({ address }) => isPublicAddress(address));
      const [first] = open;
      if (!first) return callback(forbidden(), '');
      if (options.all) callback(null, open);
      else callback(null, first.address, first.family);
    });
  };
}

const common = {
  keepAliveTimeout: 10_000,
  connections: 64,
  maxHeaderSize: 32 * 1024,
  webSocket: { maxPayloadSize: 64 * 1024 * 1024 },
} as const;
const connect = { timeout: 10_000 };

/**
 * `fetch` and WebSockets for addresses that a client or an upstream named: without cookies, without
 * redirects, with a check of what each name resolves to.
 */
export function createPublicHttp(
  resolve: Resolve = lookup as Resolve,
  proxyFor: ProxyFor = () => null,
): Pick<Http, 'fetchPublic' | 'openSocket'> {
  const lookUp = publicLookup(resolve);
  const guarded = new Agent({ ...common, connect: { ...connect, lookup: lookUp } });
  const open = new Agent({ ...common, connect });
  const proxies = new Map<string, Proxied>();
  const proxied = (proxy: string): Proxied => {
    const known = proxies.get(proxy) ?? connectThrough(proxy, lookUp);
    proxies.set(proxy, known);
    return known;
  };
  const dispatcherFor = (url: URL, allowPrivate: boolean): Dispatcher => {
    const isSocket = url.protocol === 'ws:' || url.protocol === 'wss:';
    const proxy = proxyFor(isSocket ? new URL(url.href.replace(/^ws/, 'http')) : url);
    if (proxy === null) return allowPrivate ? open : guarded;
    return proxied(proxy)[allowPrivate ? 'open' : 'guarded'][isSocket ? 'socket' : 'request'];
  };
  return {
    async fetchPublic(url, init, allowPrivate) {
      const { statusCode, headers, body } = await request(url, {
        method: (init.method ?? 'GET') as 'GET',
        headers: init.headers as Record<string, string>,
        body: (init.body as Uint8Array | undefined) ?? null,
        signal: init.signal ?? null,
        dispatcher: dispatcherFor(url, allowPrivate),
      });
      if (statusCode < 200 || statusCode > 599) {
        body.on('error', () => {}).destroy();
        throw new Error(`status ${statusCode}`);
      }
      const isEmpty = nullBodyStatuses.has(statusCode);
      if (isEmpty) body.on('error', () => {}).resume();
      return new Response(isEmpty ? null : webStream(body), {
        status: statusCode,
        headers: toHeaders(pairsOf(headers)),
      });
    },
    openSocket(url, allowPrivate) {
      const dispatcher = dispatcherFor(url, allowPrivate);
      return new UndiciWebSocket(url, { dispatcher }) as unknown as WebSocket;
    },
  };
}

/** The dispatchers of a proxy: for names that are checked first, and for any name. */
type Proxied = Readonly<
  Record<'guarded' | 'open', { readonly request: Dispatcher; readonly socket: Dispatcher }>
>;

function connectThrough(proxy: string, lookUp: LookupFunction): Proxied {
  const options = { ...common, connect };
  const open = {
    request: throughProxy(proxy, options),
    // A forward proxy passes on no WebSocket handshake, so ws:// needs a tunnel too.
    socket: throughProxy(proxy, { ...options, proxyTunnel: true }),
  };
  return {
    open,
    guarded: { request: pinned(open.request, lookUp), socket: pinned(open.socket, lookUp) },
  };
}

/**
 * Asks a proxy for a checked address in place of the name: the proxy would resolve the name again,
 * unchecked. The Host header keeps the name, which is also the name in the TLS handshake.
 */
function pinned(dispatcher: Dispatcher, lookUp: LookupFunction): Dispatcher {
  return dispatcher.compose((dispatch) => (options, handler) => {
    const origin = new URL(String(options.origin));
    lookUp(origin.hostname.replace(/^\[|\]$/g, ''), { all: false }, (error, address) => {
      if (error) return handler.onResponseError?.(null as never, error);
      const { host } = origin;
      origin.hostname = String(address).includes(':') ? `[${String(address)}]` : String(address);
      const headers = { ...(options.headers as Record<string, string> | null), host };
      dispatch({ ...options, origin: origin.origin, headers }, handler);
    });
    return true;
  });
}

/**
 * A body as a web stream, read only as fast as its reader asks. Cheaper than `Readable.toWeb`,
 * which has another queue.
 */
function webStream(body: Readable): ReadableStream<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]();
  // The reader gets errors from the iterator. Without a listener they would end the process.
  body.on('error', () => {});
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel(reason) {
        body.destroy(reason instanceof Error ? reason : undefined);
      },
    },
    { highWaterMark: 0 },
  );
}
