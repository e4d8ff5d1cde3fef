import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { Failure } from '../../../http/failure.ts';
import { headerOf, type RawHeaders } from '../../../http/headers.ts';
import { faults } from '../../../relay/errors.ts';
import type { UpstreamRequest } from '../../../relay/relay.ts';
import type { Transfer } from '../../../relay/transfer.ts';
import type { Wire } from '../../../relay/wire.ts';
import { sendFailure } from '../send-failure.ts';
import { Attempt, type AttemptOwner } from './attempt.ts';
import type { Pools } from './pools.ts';
import { ResponseWriter } from './response-writer.ts';
import type { Sleeper, Ticker } from './ticker.ts';
import { joinSockets, switchingHead } from './tunnel.ts';

/** The request body as it goes to undici. */
export type Outgoing = Uint8Array | IncomingMessage | AsyncIterable<Uint8Array> | null;

/** A client's socket that asks for a WebSocket, with the bytes that followed its handshake. */
export type ClientSocket = { readonly socket: Duplex; readonly head: Buffer };

/** The rest of a cut response has so long to leave, in milliseconds. */
const cutMs = 10_000;

/** A transfer's wire on Node: undici's `dispatch` on one side, `ServerResponse` on the other. */
export class NodeWire implements Wire, Sleeper, AttemptOwner {
  readonly #method: string;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #addedHeaders: RawHeaders;
  readonly #pools: Pools;
  readonly #ticker: Ticker;
  readonly #client: ClientSocket | null;
  #transfer: Transfer | null = null;
  #attempt: Attempt | null = null;
  #writer: ResponseWriter | null = null;
  #upstreamSocket: Duplex | null = null;
  /** The body of the caller, if the plan has none. */
  body: Outgoing = null;
  isBlocked = false;
  wakeAt = Number.POSITIVE_INFINITY;
  #sleeps = false;

  constructor(
    method: string,
    request: IncomingMessage,
    response: ServerResponse,
    addedHeaders: RawHeaders,
    { pools, ticker }: { readonly pools: Pools; readonly ticker: Ticker },
    client: ClientSocket | null,
  ) {
    this.#method = method;
    this.#request = request;
    this.#response = response;
    this.#addedHeaders = addedHeaders;
    this.#pools = pools;
    this.#ticker = ticker;
    this.#client = client;
  }

  /** Connects the wire with its transfer, whose inputs it calls. */
  attach(transfer: Transfer): void {
    this.#transfer = transfer;
    this.#response.once('close', this.#onClose);
  }

  /** Whether the upstream's connection is being reset right now. */
  get wasReset(): boolean {
    return this.#pools.isReset;
  }

  get isUploadBlocked(): boolean {
    return this.#request.readableLength > 0;
  }

  now(): number {
    return this.#ticker.now;
  }

  send(request: UpstreamRequest): void {
    const attempt = new Attempt(this, this.#transfer as Transfer);
    this.#attempt = attempt;
    const options: Dispatcher.DispatchOptions = {
      method: this.#method as Dispatcher.HttpMethod,
      path: request.path,
      headers: request.headers as string[],
      body: (request.body === 'incoming' ? this.body : request.body) as Dispatcher.DispatchOptions['body'] &
        object,
      ...(this.#client ? { upgrade: 'websocket' } : {}),
    };
    try {
      this.#pools.for(request.origin, request.timeouts).dispatch(options, attempt);
    } catch (error) {
      attempt.onResponseError(null, error as Error);
    }
  }

  abort(reason: Error): void {
    this.#attempt?.abandon(reason);
    this.#attempt = null;
    this.#upstreamSocket?.destroy();
  }

  writeHead(status: number, headers: RawHeaders): void {
    if (this.#upstreamSocket) return void this.#client?.socket.write(switchingHead(headers), 'latin1');
    const length = this.#method === 'HEAD' ? 0 : Number(headerOf(headers, 'content-length') ?? Number.NaN);
    this.#writer = new ResponseWriter(this.#response, status, headers, length, this.#block);
  }

  write(chunk: Uint8Array): void {
    this.#writer?.write(chunk);
  }

  finish(): void {
    this.#writer?.finish();
  }

  cut(): void {
    if (this.#writer) {
      this.#writer.cut();
      const { socket } = this.#response;
      if (socket && !socket.destroyed) setTimeout(() => socket.destroy(), cutMs).unref();
    } else this.#response.destroy();
    this.#client?.socket.destroy();
  }

  refuse(failure: Failure): void {
    if (this.#response.headersSent) return this.cut();
    sendFailure(this.#request, this.#response, failure, this.#addedHeaders);
  }

  readOn(): void {
    this.isBlocked = false;
    const controller = this.#attempt?.controller;
    if (controller?.paused) controller.resume();
  }

  wake(ms: number): void {
    this.wakeAt = this.#ticker.now + ms;
    if (this.#sleeps) return;
    this.#sleeps = true;
    this.#ticker.add(this);
  }

  wakeUp(now: number): void {
    this.#transfer?.tick(now);
  }

  close(): void {
    if (this.#sleeps) this.#ticker.remove(this);
    this.#response.off('close', this.#onClose);
    this.#attempt = null;
  }

  /** The upstream switched to a WebSocket: from here on bytes pass both ways. */
  join(status: number, headers: RawHeaders, upstream: Duplex): void {
    const transfer = this.#transfer as Transfer;
    const client = this.#client;
    if (!client) {
      upstream.destroy();
      return transfer.error(faults.invalidHead());
    }
    this.#upstreamSocket = upstream;
    this.#response.off('close', this.#onClose);
    this.#response.detachSocket(client.socket as Parameters<ServerResponse['detachSocket']>[0]);
    transfer.upgraded(status, headers);
    joinSockets(upstream, client.socket, client.head, {
      onActive: () => transfer.active(),
      onClose: (byClient) => (byClient ? transfer.clientClosed() : transfer.end()),
    });
  }

  readonly #onClose = (): void => {
    if (!this.#response.writableFinished) this.#transfer?.clientClosed();
  };

  /** The client does not read, so the upstream is not read either. */
  readonly #block = (): void => {
    const controller = this.#attempt?.controller;
    if (this.isBlocked || !controller) return;
    this.isBlocked = true;
    controller.pause();
    this.#response.once('drain', () => {
      this.isBlocked = false;
      if (this.#attempt?.controller === controller) controller.resume();
    });
  };
}
