/**
 * Whether what was sent a piece at a time arrived so. `arrivals` are the milliseconds at which each piece came; pieces that come within a
 * third of `gapMs` came together. Buffered is a stream of which most came together with others.
 */
export function isBuffered(arrivals: readonly number[], gapMs: number): boolean {
  const moments = arrivals.filter((at, i) => i === 0 || at - (arrivals[i - 1] as number) > gapMs / 3).length;
  return moments <= Math.ceil(arrivals.length / 3);
}

/** Who collected a stream, as far as the headers of its answer tell, and what ends it. */
export function bufferingHop(headers: Headers): { hop: string; fix: string } {
  const server = (headers.get('server') ?? '').toLowerCase();
  const via = (headers.get('via') ?? '').toLowerCase();
  if (server.includes('nginx') || server.includes('openresty'))
    return {
      hop: 'nginx',
      fix: 'proxy_buffering off; proxy_http_version 1.1; gzip off; (and no proxy_ignore_headers X-Accel-Buffering)',
    };
  if (headers.has('cf-ray'))
    return { hop: 'Cloudflare', fix: 'a rule without compression and Rocket Loader for this host' };
  if (server.includes('apache'))
    return { hop: 'Apache', fix: 'ProxyPass / http://127.0.0.1:8080/ flushpackets=on' };
  if (server.includes('caddy') || via.includes('caddy'))
    return { hop: 'Caddy', fix: 'reverse_proxy 127.0.0.1:8080 { flush_interval -1 }' };
  if (via !== '') return { hop: via.slice(0, 60), fix: 'its setting against response buffering' };
  return {
    hop: '?',
    fix: 'the proxy or tunnel in front: switch its response buffering and compression off',
  };
}
