import type { IncomingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { RawHeaders } from '../../../http/headers.ts';
import type { Transfer } from '../../../relay/transfer.ts';
import { pairsOf } from '../header-pairs.ts';
import { faultOf } from './fault-of.ts';

/** What an attempt needs of its wire. */
export type AttemptOwner = {
  readonly isBlocked: boolean;
  /** Whether the upstream's connection is being reset right now. */
  readonly wasReset: boolean;
  /** The upstream switched to a WebSocket. */
  join(status: number, headers: RawHeaders, socket: Duplex): void;
};

/** One request at undici. Once it is abandoned, nothing of it reaches the transfer. */
export class Attempt implements Dispatcher.DispatchHandler {
  readonly #wire: AttemptOwner;
  readonly #transfer: Transfer;
  #isOver = false;
  controller: Dispatcher.DispatchController | null = null;

  constructor(wire: AttemptOwner, transfer: Transfer) {
    this.#wire = wire;
    this.#transfer = transfer;
  }

  abandon(reason: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.controller?.abort(reason);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    if (this.#isOver) controller.abort(new Error('abandoned'));
  }

  /** undici calls it for each piece of the request body. */
  onBodySent(): void {
    if (!this.#isOver) this.#transfer.active();
  }

  onRequestSent(): void {
    if (!this.#isOver) this.#transfer.sent();
  }

  onRequestUpgrade(
    _: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
    socket: Duplex,
  ): void {
    if (this.#isOver) return void socket.destroy();
    this.#isOver = true;
    this.#wire.join(status, pairsOf(headers), socket);
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    if (status < 200 || this.#isOver) return;
    this.#transfer.head(status, pairsOf(headers));
    if (controller.paused && !this.#wire.isBlocked) controller.resume();
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#isOver) this.#transfer.data(chunk);
  }

  onResponseEnd(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#wire.wasReset)
      this.#transfer.error(faultOf(new Error('connection reset'), this.#transfer.request.timeouts));
    else this.#transfer.end();
  }

  onResponseError(_: Dispatcher.DispatchController | null, error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#transfer.error(faultOf(error, this.#transfer.request.timeouts));
  }
}
