import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Relay, Tunnel } from '../../../relay/relay.ts';
import type { Exchange } from '../../../reply.ts';
import type { NodeIncoming } from '../request.ts';
import { overLimit } from './error-codes.ts';
import type { Pools } from './pools.ts';
import type { Pulse } from './ticker.ts';
import { Carriage, type Upgrade } from './transfer.ts';

/** Bodies up to this size are read before they are sent on: one write instead of a stream, and they can be sent again. */
const smallBody = 64 * 1024;

/** What carrying needs of the machine, made once. */
export type Lane = {
  readonly pools: Pools;
  readonly pulse: Pulse;
  /** Seconds of silence after which an event stream gets a comment; 0 for never. */
  readonly keepAlive: number;
  /** Largest relayed request body in bytes; 0 for any. */
  readonly maxRelayBytes: number;
};

/**
 * Carries a plan out from socket to socket: `node:http` in, undici's `dispatch` out, no web objects in between. The
 * same as `respond` does with `fetch`, at a fraction of its cost.
 */
export function carry(
  plan: Relay | Tunnel,
  exchange: Exchange,
  incoming: NodeIncoming,
  request: IncomingMessage,
  response: ServerResponse,
  lane: Lane,
  upgrade: Upgrade | null = null,
): void {
  const carriage = new Carriage(plan, exchange, request, response, lane, upgrade);
  if (plan.requests[0].body !== 'incoming') return carriage.start(null);
  const length = Number(request.headers['content-length'] ?? Number.NaN);
  if (lane.maxRelayBytes > 0 && length > lane.maxRelayBytes)
    return carriage.refuse(overLimit(lane.maxRelayBytes));
  incoming.sendContinue();
  if (length <= smallBody) carriage.readWhole();
  else carriage.start(lane.maxRelayBytes > 0 ? carriage.limited(request, lane.maxRelayBytes) : request);
}
