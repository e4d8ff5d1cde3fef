import type { IncomingMessage, ServerResponse } from 'node:http';
import { faults } from '../../../relay/errors.ts';
import type { Relay, Tunnel } from '../../../relay/relay.ts';
import { Transfer } from '../../../relay/transfer.ts';
import type { Exchange } from '../../../reply.ts';
import type { NodeRequest } from '../request.ts';
import type { Pools } from './pools.ts';
import type { Ticker } from './ticker.ts';
import { type ClientSocket, NodeWire } from './wire.ts';

/**
 * Bodies of at most this many bytes are read before they are sent: one write, and they can be sent
 * again.
 */
const smallBody = 64 * 1024;

/** What relaying needs of the process, made once. */
export type RelayContext = {
  readonly pools: Pools;
  readonly ticker: Ticker;
  /** Seconds of silence after which an event stream gets a heartbeat; 0 for never. */
  readonly keepAlive: number;
  /** Largest relayed request body in bytes; 0 for no limit. */
  readonly maxRelayBytes: number;
  /** All transfers that are open, so that they can be ended when the gateway stops. */
  readonly open: Set<Transfer>;
  /** Whether the time to drain is over, and open responses are being cut. */
  isCut: boolean;
};

/**
 * Runs a plan from socket to socket: `node:http` in, undici's `dispatch` out, no web objects in
 * between.
 */
export function relay(
  plan: Relay | Tunnel,
  exchange: Exchange,
  incoming: NodeRequest,
  request: IncomingMessage,
  response: ServerResponse,
  context: RelayContext,
  client: ClientSocket | null = null,
): void {
  const wire = new NodeWire(plan.method, request, response, exchange.addedHeaders, context, client);
  const transfer = new Transfer(plan, wire, {
    keepAlive: context.keepAlive,
    maxBodyBytes: context.maxRelayBytes,
    id: exchange.id,
    addedHeaders: exchange.addedHeaders,
    onEnd: (end) => {
      context.open.delete(transfer);
      exchange.end(end);
    },
  });
  context.open.add(transfer);
  wire.attach(transfer);
  if (response.destroyed) return transfer.clientClosed();
  if (plan.requests[0].body !== 'incoming') return transfer.start(false);
  sendBody(transfer, wire, incoming, request, context.maxRelayBytes);
}

/** Starts a transfer whose body is the caller's: read first if it is small, streamed otherwise. */
function sendBody(
  transfer: Transfer,
  wire: NodeWire,
  incoming: NodeRequest,
  request: IncomingMessage,
  maxRelayBytes: number,
): void {
  const length = Number(request.headers['content-length'] ?? Number.NaN);
  if (maxRelayBytes > 0 && length > maxRelayBytes) return transfer.error(faults.bodyTooLarge(maxRelayBytes));
  incoming.sendContinue();
  if (!(length <= smallBody)) {
    wire.body = maxRelayBytes > 0 ? counted(request, transfer) : request;
    return transfer.start(false, true);
  }
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    transfer.uploaded(chunk.length);
  });
  request.once('end', () => {
    wire.body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
    transfer.start(true);
  });
}

/** The caller's body as far as the limit allows. */
async function* counted(body: AsyncIterable<Uint8Array>, transfer: Transfer): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    if (!transfer.uploaded(chunk.length)) throw new Error('the request body is too large');
    yield chunk;
  }
}
