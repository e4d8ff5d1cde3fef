import type { IncomingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Dispatcher } from 'undici';
import { isEventStream } from '../../../http/headers.ts';
import { createPeek, peekMs } from '../../../relay/peek.ts';
import { maxRedirects, sameHostRedirect, type UpstreamRequest } from '../../../relay/relay.ts';
import { Delivery } from './response-writer.ts';
import type { Carriage } from './transfer.ts';

/** One hop being asked: undici tells it what the upstream says, it tells the carriage. */
export class Attempt implements Dispatcher.DispatchHandler {
  readonly #carriage: Carriage;
  #hop: UpstreamRequest;
  #redirects = 0;
  #skipping = false;
  #given = false;
  #peek: ReturnType<typeof createPeek> | null = null;
  #peekTimer: NodeJS.Timeout | undefined;
  #head: (() => Delivery) | null = null;
  controller: Dispatcher.DispatchController | null = null;

  constructor(carriage: Carriage, hop: UpstreamRequest) {
    this.#carriage = carriage;
    this.#hop = hop;
  }

  /** The address that is asked: the hop's, or where it was redirected to. */
  get hop(): UpstreamRequest {
    return this.#hop;
  }

  /** Gives up: whatever is still said is not listened to. */
  abandon(error: Error): void {
    this.#given = true;
    clearTimeout(this.#peekTimer);
    this.controller?.abort(error);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    if (this.#given) controller.abort(new Error('given up'));
  }

  onRequestUpgrade(
    _: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
    socket: Duplex,
  ): void {
    this.#carriage.upgraded(status, headers, socket);
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
    statusText = '',
  ): void {
    if (status < 200 || this.#given) return;
    const { plan, attempts, response, exchange } = this.#carriage;
    const next = sameHostRedirect(plan.method, this.#hop, status, headers.location);
    if (next && this.#redirects < maxRedirects) {
      this.#redirects++;
      this.#hop = next;
      this.#skipping = true;
      return;
    }
    const verdict = attempts.afterStatus(status, (name) => headers[name]?.toString(), Date.now());
    if (verdict !== 'keep') return this.#carriage.move(verdict);
    const head = () => new Delivery(response, status, statusText, headers, exchange.addedHeaders);
    if (status === 200 && attempts.hasNext && isEventStream(headers['content-type'])) {
      this.#peek = createPeek();
      this.#head = head;
      this.#peekTimer = setTimeout(() => this.#keep(controller), peekMs);
    } else {
      this.#carriage.delivers(head());
    }
    if (controller.paused) controller.resume();
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#skipping || this.#given) return;
    if (!this.#peek) return this.#carriage.data(controller, chunk);
    const said = this.#peek.push(chunk);
    if (said === 'keep') return this.#keep(controller);
    if (said === 'more') return;
    const verdict = this.#carriage.attempts.afterErrorEvent();
    if (verdict === 'keep') this.#keep(controller);
    else this.#carriage.move(verdict);
  }

  onResponseEnd(): void {
    if (this.#given) return;
    if (this.#skipping) {
      this.#skipping = false;
      return this.#carriage.dispatch(this);
    }
    if (this.#peek && this.controller) this.#keep(this.controller);
    this.#carriage.ended();
  }

  onResponseError(_: Dispatcher.DispatchController | null, error: Error): void {
    if (this.#given) return;
    // What was held was said: it belongs to the answer, however that ended.
    if (this.#peek && this.controller) this.#keep(this.controller);
    this.#carriage.failed(error);
  }

  /** The beginning was looked at, and is good enough: from here on it is the answer. */
  #keep(controller: Dispatcher.DispatchController): void {
    clearTimeout(this.#peekTimer);
    const [peek, head] = [this.#peek, this.#head];
    if (!peek || !head || this.#given) return;
    this.#peek = null;
    this.#carriage.delivers(head());
    for (const chunk of peek.take()) this.#carriage.data(controller, chunk as Buffer);
  }
}
