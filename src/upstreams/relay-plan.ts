import type { Call } from '../call.ts';
import type { UpstreamHealth } from '../relay/health.ts';
import { type HeartbeatSetting, heartbeatStyle } from '../relay/heartbeat.ts';
import { Relay, type UpstreamRequest } from '../relay/relay.ts';
import type { CompatibleUpstream } from './upstream.ts';

/** An upstream that may be asked, and its body: it may have another name for the model. */
export type PlannedUpstream = {
  readonly upstream: CompatibleUpstream;
  readonly body: UpstreamRequest['body'];
};

/** Plans a request: which upstreams to ask, in which order, how often. */
export type Plan = (
  call: Call,
  method: string,
  path: string,
  planned: readonly [PlannedUpstream, ...PlannedUpstream[]],
) => Relay;

/**
 * Paths that change nothing at the upstream. Sending a request twice costs twice, and harms
 * nothing.
 */
const inference =
  /^\/v1\/(?:chat\/completions|completions|responses|embeddings|moderations|rerank|messages|audio\/\w+|images\/\w+)$/;

/**
 * Makes plans: an upstream's keys in turn, then the next upstream's. Those that cool down come
 * last.
 */
export function createPlanner(
  upstreamHealth: UpstreamHealth,
  retries: number,
  keepAliveStyle: HeartbeatSetting = 'auto',
): Plan {
  return (call, method, path, planned) => {
    const [{ upstream, body }, ...others] = planned;
    const requests = upstream.requests(call, path, body).map(({ hop }) => hop);
    for (const other of others) {
      // A caller's own key is for the first upstream, and goes to no other host.
      for (const { hop, own } of requestsOf(other.upstream, call, path, other.body))
        if (!own || hop.origin === requests[0]?.origin) requests.push(hop);
    }
    const ordered = upstreamHealth.order(requests) as [UpstreamRequest, ...UpstreamRequest[]];
    return new Relay(method, ordered, {
      retries,
      repeatable: isRepeatable(call, method, path),
      heartbeat: heartbeatStyle(keepAliveStyle, path),
      model: call.record.model,
      report: upstreamHealth.report,
    });
  };
}

/**
 * The requests of an upstream that is a fallback. Without a key for it there are none; that is no
 * error.
 */
function requestsOf(
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
