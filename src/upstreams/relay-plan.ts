import type { Call } from '../call.ts';
import type { UpstreamHealth } from '../relay/health.ts';
import { type HeartbeatSetting, heartbeatStyle } from '../relay/heartbeat.ts';
import { Relay, type UpstreamRequest } from '../relay/relay.ts';
import type { CompatibleUpstream } from './upstream.ts';

/** An upstream that may be asked, and the body it would get: another name for the model makes another body. */
export type Asked = { readonly upstream: CompatibleUpstream; readonly body: UpstreamRequest['body'] };

/** Plans a request: whom to ask, in which order, how often. */
export type Plan = (call: Call, method: string, path: string, asked: readonly [Asked, ...Asked[]]) => Relay;

/** Paths that ask for an answer and change nothing: asking twice costs twice, and harms nothing. */
const inference =
  /^\/v1\/(?:chat\/completions|completions|responses|embeddings|moderations|rerank|messages|audio\/\w+|images\/\w+)$/;

/** Makes plans: an upstream's keys in turn, then the next upstream's; those that failed often come last. */
export function createPlanner(
  upstreamHealth: UpstreamHealth,
  retries: number,
  keepAliveStyle: HeartbeatSetting = 'auto',
): Plan {
  return (call, method, path, asked) => {
    const [{ upstream, body }, ...others] = asked;
    const offered = upstream.requests(call, path, body);
    const hops = offered.map(({ hop }) => hop);
    for (const other of others) {
      // A caller's own key was meant for the first upstream, and goes to no other host.
      for (const { hop, own } of offeredBy(other.upstream, call, path, other.body))
        if (!own || hop.origin === hops[0]?.origin) hops.push(hop);
    }
    const ordered = upstreamHealth.order(hops) as [UpstreamRequest, ...UpstreamRequest[]];
    return new Relay(method, ordered, {
      retries,
      repeatable: isRepeatable(call, method, path),
      heartbeat: heartbeatStyle(keepAliveStyle, path),
      model: call.record.model,
      report: upstreamHealth.report,
    });
  };
}

/** The hops of an upstream that is only asked where another fails: having no key for it is no failure of the request. */
function offeredBy(
  upstream: CompatibleUpstream,
  call: Call,
  path: string,
  body: UpstreamRequest['body'],
): ReturnType<CompatibleUpstream['requests']> {
  try {
    return upstream.requests(call, path, body);
  } catch {
    return [];
  }
}

function isRepeatable(call: Call, method: string, path: string): boolean {
  if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') return true;
  return (
    method === 'POST' && (inference.test(path) || call.incoming.head.get('idempotency-key') !== undefined)
  );
}
