import type { Failure } from '../src/http/failure.ts';
import type { RawHeaders } from '../src/http/headers.ts';
import { Relay, type Timeouts, type UpstreamRequest } from '../src/relay/relay.ts';
import type { Semaphore } from '../src/relay/semaphore.ts';
import { Transfer, type TransferEnd, type TransferOptions } from '../src/relay/transfer.ts';
import type { Wire } from '../src/relay/wire.ts';

/** A wire without sockets, whose clock is moved by hand. For tests. */
export class FakeWire implements Wire {
  time = 1000;
  sent: UpstreamRequest[] = [];
  aborts = 0;
  status = 0;
  headers: RawHeaders = [];
  text = '';
  ended: '' | 'finished' | 'cut' | 'refused' = '';
  refusal: Failure | null = null;
  writesAfterEnd = 0;
  isBlocked = false;
  isUploadBlocked = false;
  readsOn = false;
  wakeAt = Number.POSITIVE_INFINITY;
  closes = 0;
  /** Thrown by the next `writeHead`. */
  headError: Error | null = null;
  readonly #decoder = new TextDecoder();

  now(): number {
    return this.time;
  }
  send(request: UpstreamRequest): void {
    this.sent.push(request);
  }
  abort(): void {
    this.aborts++;
  }
  writeHead(status: number, headers: RawHeaders): void {
    if (this.headError) throw this.headError;
    if (this.status !== 0) throw new Error('a second head');
    this.status = status;
    this.headers = headers;
  }
  write(chunk: Uint8Array): void {
    if (this.ended !== '') this.writesAfterEnd++;
    this.text += this.#decoder.decode(chunk, { stream: true });
  }
  finish(): void {
    this.#end('finished');
  }
  cut(): void {
    this.#end('cut');
  }
  refuse(failure: Failure): void {
    this.#end('refused');
    this.status = failure.status;
    this.refusal = failure;
  }
  readOn(): void {
    this.readsOn = true;
  }
  wake(ms: number): void {
    this.wakeAt = this.time + ms;
  }
  close(): void {
    this.closes++;
  }
  #end(how: FakeWire['ended']): void {
    if (this.ended !== '') throw new Error(`${how} after ${this.ended}`);
    this.ended = how;
  }
}

const timeouts: Timeouts = { connect: 1, firstByte: 10, idle: 20, total: 0 };

/** A request to an upstream, with what a test changes. */
export function upstreamRequest(more: Partial<UpstreamRequest> = {}): UpstreamRequest {
  return {
    upstream: 'a',
    id: 'a',
    origin: 'http://a',
    path: '/v1/x',
    headers: [],
    body: null,
    timeouts,
    whenCallerLeaves: 'cancel',
    slots: null,
    secret: null,
    ...more,
  };
}

type Setup = {
  readonly method?: string;
  readonly requests?: readonly UpstreamRequest[];
  readonly slots?: Semaphore | null;
  readonly plan?: ConstructorParameters<typeof Relay>[2];
  readonly options?: Partial<TransferOptions>;
};

/** A transfer on a fake wire, and the ends that it reported. */
export function transferOnFakeWire({ method = 'POST', requests, plan, options }: Setup = {}) {
  const wire = new FakeWire();
  const ends: TransferEnd[] = [];
  const list = requests ?? [upstreamRequest()];
  const relay = new Relay(method, list as [UpstreamRequest, ...UpstreamRequest[]], {
    repeatable: true,
    ...plan,
  });
  const transfer = new Transfer(relay, wire, {
    keepAlive: 0,
    maxBodyBytes: 0,
    id: 'req_1',
    addedHeaders: ['x-request-id', 'req_1'],
    onEnd: (end) => void ends.push(end),
    ...options,
  });
  /** Lets time pass, waking the transfer when it asked for it. */
  const pass = (ms: number): void => {
    const until = wire.time + ms;
    while (wire.wakeAt <= until) {
      wire.time = wire.wakeAt;
      wire.wakeAt = Number.POSITIVE_INFINITY;
      transfer.tick(wire.time);
    }
    wire.time = until;
  };
  return { wire, transfer, ends, pass };
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
