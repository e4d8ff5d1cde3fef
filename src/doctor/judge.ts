/**
 * Whether a stream was buffered on its way. `arrivals` are the times of its chunks in milliseconds.
 * Chunks within a third of `gapMs` arrived together; a stream is buffered if most of its chunks
 * arrived together with others.
 */
export function isBuffered(arrivals: readonly number[], gapMs: number): boolean {
  const moments = arrivals.filter((at, i) => i === 0 || at - (arrivals[i - 1] as number) > gapMs / 3).length;
  return moments <= Math.ceil(arrivals.length / 3);
}

/**
 * The proxy that buffered a stream, as far as the response headers show, and the setting to change.
 */
export function bufferingHop(headers: Headers): { hop: string; fix: string } {
  const server = (headers.get('server') ?? '').toLowerCase();
  const via = (headers.get('via') ?? '').toLowerCase();
  if (server.includes('nginx') || server.includes('openresty'))
    return {
      hop: 'nginx',
      fix: 'proxy_buffering off; proxy_http_version 1.1; gzip off; (and no proxy_ignore_headers X-Accel-Buffering)',
    };
  if (headers.has('cf-ray'))
    return {
      hop: 'Cloudflare',
      fix: 'Add a rule for this host without compression and without Rocket Loader.',
    };
  if (server.includes('apache'))
    return { hop: 'Apache', fix: 'ProxyPass / http://127.0.0.1:8080/ flushpackets=on' };
  if (server.includes('caddy') || via.includes('caddy'))
    return { hop: 'Caddy', fix: 'reverse_proxy 127.0.0.1:8080 { flush_interval -1 }' };
  if (via !== '') return { hop: via.slice(0, 60), fix: 'Switch its response buffering off.' };
  return {
    hop: '?',
    fix: 'Switch response buffering and compression off in the proxy or tunnel in front of the gateway.',
  };
}
