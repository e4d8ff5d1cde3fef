import { Agent, buildConnector, type Dispatcher, Pool, ProxyAgent } from 'undici';
import type { Settings } from '../../settings/schema.ts';
import { skipContinue } from './skip-continue.ts';

export type ProxySettings = Pick<Settings, 'httpProxy' | 'httpsProxy' | 'noProxy'>;

/**
 * The proxy of a URL; null if it is reached directly. Addresses of this machine never go to a
 * proxy.
 */
export type ProxyFor = (url: URL) => string | null;

/**
 * Reads HTTPS_PROXY, HTTP_PROXY and NO_PROXY as curl does. HTTP_PROXY serves https:// too if it is
 * the only one.
 */
export function createProxyFor({ httpProxy, httpsProxy, noProxy }: ProxySettings): ProxyFor {
  const direct = noProxy
    .split(/[,\s]/)
    .filter(Boolean)
    .map((entry) => entry.toLowerCase().replace(/^\*?\./, ''));
  return (url) => {
    const proxy = url.protocol === 'https:' ? (httpsProxy ?? httpProxy) : httpProxy;
    if (proxy === undefined || isLoopback(url.hostname)) return null;
    const host = url.hostname.toLowerCase().replace(/\.$/, '');
    const port = url.port || (url.protocol === 'https:' ? '443' : '80');
    return direct.some((entry) => matches(entry, host, port)) ? null : proxy;
  };
}

function matches(entry: string, host: string, port: string): boolean {
  const colon = entry.lastIndexOf(':');
  // An IPv6 address has colons too. With a port it is in brackets, as in a URL.
  const hasPort = colon > 0 && (entry.indexOf(':') === colon || entry[colon - 1] === ']');
  if (hasPort && entry.slice(colon + 1) !== port) return false;
  const bare = (text: string) => text.replace(/^\[|\]$/g, '');
  const name = bare(hasPort ? entry.slice(0, colon) : entry);
  return name === '*' || bare(host) === name || host.endsWith(`.${name}`);
}

function isLoopback(hostname: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}

/** The options of a pool that connections through a proxy keep as well. */
export type PoolOptions = Omit<Pool.Options, 'connect'> & { readonly connect: { readonly timeout: number } };

/** Adds something to every connection that a connector makes. */
type Wrap = (connector: buildConnector.connector) => buildConnector.connector;

/** Makes the connections to one origin: a pool, or a proxy with the same options. */
export function connectionsTo(
  origin: string,
  options: PoolOptions,
  proxyFor: ProxyFor,
  wrap: Wrap = skipContinue,
): Dispatcher {
  const proxy = proxyFor(new URL(origin));
  if (proxy === null) {
    return new Pool(origin, {
      ...options,
      connect: wrap(buildConnector({ ...options.connect, allowH2: false })),
    });
  }
  // A pool knows its origin. A proxy needs it with each request.
  return throughProxy(proxy, options, wrap).compose(
    (dispatch) => (request, handler) =>
      dispatch({ ...request, origin, headers: byName(request.headers ?? []) }, handler),
  );
}

/** Makes the connections to all origins, each directly or through its proxy. */
export function connectionsToAll(options: PoolOptions, proxyFor: ProxyFor): Agent {
  return new Agent({
    ...options,
    factory: (origin) => connectionsTo(String(origin), options, proxyFor),
  });
}

/**
 * A proxy that keeps the timers of its options: undici would use its defaults towards the proxy
 * itself.
 */
export function throughProxy(
  proxy: string,
  { connect, ...options }: PoolOptions & { readonly proxyTunnel?: boolean },
  wrap: Wrap = skipContinue,
): Dispatcher {
  const agent = new ProxyAgent({
    ...options,
    uri: proxy,
    connectTimeout: connect.timeout,
    factory: (origin, pool) => {
      const made = (pool as Pool.Options).connect;
      const connector = typeof made === 'function' ? { connect: wrap(made) } : {};
      return new Pool(origin, { ...options, ...(pool as Pool.Options), ...connector });
    },
  });
  const { headersTimeout, bodyTimeout } = options;
  const timers = {
    ...(headersTimeout === undefined ? {} : { headersTimeout }),
    ...(bodyTimeout === undefined ? {} : { bodyTimeout }),
  };
  // undici makes the pools behind a SOCKS5 proxy without these options.
  return agent.compose((dispatch) => (request, handler) => dispatch({ ...timers, ...request }, handler));
}

type HeaderLines = NonNullable<Dispatcher.DispatchOptions['headers']>;

/**
 * Header lines by name, those of the same name together: a proxy of undici keeps only the last one.
 */
function byName(headers: HeaderLines): HeaderLines {
  if (!Array.isArray(headers)) return headers;
  const lines = new Map<string, string[]>();
  for (let i = 0; i < headers.length; i += 2) {
    const name = String(headers[i]);
    const values = lines.get(name) ?? [];
    values.push(String(headers[i + 1]));
    lines.set(name, values);
  }
  return Object.fromEntries(
    [...lines].map(([name, values]) => [name, values.length === 1 ? values[0] : values]),
  );
}
