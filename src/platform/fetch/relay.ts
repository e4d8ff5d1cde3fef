import type { RawHeaders } from '../../http/headers.ts';
import type { Incoming } from '../../http/request.ts';
import { faults } from '../../relay/errors.ts';
import type { Relay, Tunnel } from '../../relay/relay.ts';
import { Transfer, type TransferEnd } from '../../relay/transfer.ts';
import { readAll } from '../../streams/read-all.ts';
import { type CallersBody, FetchWire, type FetchWireOptions } from './wire.ts';

/**
 * Bodies of at most this many bytes are read before they are sent, so that they can be sent again.
 */
const smallBody = 64 * 1024;

export type FetchRelayOptions = FetchWireOptions & {
  /** Seconds of silence after which an event stream gets a heartbeat; 0 for never. */
  readonly keepAlive: number;
  /** Largest relayed request body in bytes; 0 for no limit. */
  readonly maxRelayBytes: number;
};

/** What relaying needs of a request. */
export type RelaySource = Pick<Incoming, 'signal' | 'stream'> & { readonly head?: Incoming['head'] };

type RunOptions = { readonly id: string; readonly addedHeaders: RawHeaders };

/** A plan that is being run: its response, and when it is over. */
export type RunningRelay = { readonly response: Promise<Response>; readonly finished: Promise<void> };

/**
 * Runs a plan with `fetch`. `response` resolves with the response for the caller, whatever happens;
 * `finished` when the transfer is over.
 */
export function runRelay(
  plan: Relay | Tunnel,
  source: RelaySource,
  { id, addedHeaders }: RunOptions,
  options: FetchRelayOptions,
  onEnd: (end: TransferEnd) => void,
): RunningRelay {
  const wire = new FetchWire(plan, addedHeaders, options);
  const leave = (): void => transfer.clientClosed();
  const transfer = new Transfer(plan, wire, {
    keepAlive: options.keepAlive,
    maxBodyBytes: options.maxRelayBytes,
    id,
    addedHeaders,
    onEnd(end) {
      source.signal.removeEventListener('abort', leave);
      onEnd(end);
    },
  });
  wire.attach(transfer);
  source.signal.addEventListener('abort', leave, { once: true });
  if (source.signal.aborted) leave();
  else if (plan.requests[0].body !== 'incoming') transfer.start(false);
  else void sendBody(transfer, wire, source, options.maxRelayBytes);
  return { response: wire.response, finished: wire.finished };
}

/** Runs plans without a caller's body inside the gateway, for responses that it reads itself. */
export function relayByFetch(options: FetchRelayOptions) {
  return (plan: Relay, signal: AbortSignal): Promise<Response> =>
    runRelay(plan, { signal, stream: () => null }, { id: '', addedHeaders: [] }, options, () => {}).response;
}

/**
 * Starts a transfer whose body is the caller's: read first if it is small and may be sent again.
 */
async function sendBody(
  transfer: Transfer,
  wire: FetchWire,
  source: RelaySource,
  maxRelayBytes: number,
): Promise<void> {
  const length = Number(source.head?.get('content-length') ?? Number.NaN);
  if (maxRelayBytes > 0 && length > maxRelayBytes) return transfer.error(faults.bodyTooLarge(maxRelayBytes));
  const stream = source.stream();
  if (!transfer.wantsWholeBody || !(length <= smallBody)) {
    wire.body = maxRelayBytes > 0 && Number.isNaN(length) ? counted(stream, transfer) : stream;
    return transfer.start(false);
  }
  try {
    wire.body = await readAll(stream, smallBody, () => faults.bodyTooLarge(smallBody).failure);
    transfer.start(true);
  } catch (error) {
    // Only a client that leaves breaks its own body.
    if (error instanceof Error) transfer.clientClosed();
  }
}

/** The caller's body as far as the limit allows. */
function counted(stream: ReadableStream<Uint8Array> | null, transfer: Transfer): CallersBody {
  if (stream === null) return null;
  return stream.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        if (transfer.uploaded(chunk.length)) controller.enqueue(chunk);
        else controller.error(new Error('the request body is too large'));
      },
    }),
  );
}
