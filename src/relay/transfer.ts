import type { EndedBy } from '../http/ended-by.ts';
import { errorEvent } from '../http/failure.ts';
import { headerOf, isEventStream, type RawHeaders, responseHeaders } from '../http/headers.ts';
import { concatBytes } from '../streams/read-all.ts';
import { credentialsRefused, faults, type UpstreamFault } from './errors.ts';
import { createEventBoundary } from './event-boundary.ts';
import { heartbeat } from './heartbeat.ts';
import { createPeek, peekMs } from './peek.ts';
import { maxRedirects, type Relay, sameHostRedirect, type Tunnel, type UpstreamRequest } from './relay.ts';
import { type Decision, RetryState } from './retry.ts';
import { errorText, withoutSecret } from './secret.ts';
import type { Release } from './semaphore.ts';
import type { Wire } from './wire.ts';

/**
 * Responses of at most this many bytes are held until they are whole: if one breaks, it is still an
 * error.
 */
const smallBytes = 64 * 1024;

export type TransferOptions = {
  /** Seconds of silence after which an event stream gets a heartbeat; 0 for never. */
  readonly keepAlive: number;
  /** Largest relayed request body in bytes; 0 for no limit. */
  readonly maxBodyBytes: number;
  /** The request's id, for heartbeats before the first event. */
  readonly id: string;
  /** Headers that go on the response, in all cases: CORS and the request id. */
  readonly addedHeaders: RawHeaders;
  /** Reads the bytes that pass, without changing them. */
  readonly tap?: ((chunk: Uint8Array) => void) | null;
  /** Called once, when the transfer is over. */
  readonly onEnd: (end: TransferEnd) => void;
};

/** How a transfer ended. */
export type TransferEnd = {
  readonly status: number;
  /** Body bytes sent to the client; null if the runtime carried them unseen. */
  readonly bytes: number | null;
  /** Monotonic time of the first body byte. */
  readonly firstByteAt: number | null;
  readonly endedBy: EndedBy;
  readonly error?: string | undefined;
  readonly upstream: string;
  readonly attempts: number;
};

/**
 * - `idle`: made, not started; the wire may be reading a small request body.
 * - `queued`: waits for a slot of the upstream.
 * - `paused`: waits before the next attempt.
 * - `connecting`: a request was sent, no head came yet.
 * - `peeking`: a head came; it is not committed, because the response may still be replaced.
 * - `streaming`: the head went to the client.
 * - `draining`: the client left, and the upstream is read on.
 * - `closed`: over.
 */
export type TransferState =
  | 'idle'
  | 'queued'
  | 'paused'
  | 'connecting'
  | 'peeking'
  | 'streaming'
  | 'draining'
  | 'closed';

/**
 * The life of one relayed request, as a state machine: no socket, no timer, no `await`. The wire
 * tells it what happens and does what it asks. Every path ends in `#close`, which releases
 * everything exactly once.
 */
export class Transfer {
  readonly #plan: Relay | Tunnel;
  readonly #wire: Wire;
  readonly #options: TransferOptions;
  readonly #retry: RetryState;
  readonly #totalAt: number;
  #state: TransferState = 'idle';
  #request: UpstreamRequest;
  #redirects = 0;
  #release: Release | null = null;
  #leaveQueue: (() => void) | null = null;
  /**
   * When the current state ends by itself; Infinity for never. Idle time is measured from
   * `#activeAt`.
   */
  #stateAt = Number.POSITIVE_INFINITY;
  /** Last time a byte moved, in either direction. */
  #activeAt: number;
  #isUploading = false;
  #uploaded = 0;
  #status = 0;
  #headers: RawHeaders = [];
  #isHeadWritten = false;
  #peek: ReturnType<typeof createPeek> | null = null;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #boundary: ReturnType<typeof createEventBoundary> | null = null;
  #sentAt = 0;
  #last: Uint8Array | null = null;
  /** Bytes that the head promised and that are still to come; Infinity without a length. */
  #promised = Number.POSITIVE_INFINITY;
  #bytes: number | null = 0;
  #firstByteAt: number | null = null;
  #drainBytes = 0;

  constructor(plan: Relay | Tunnel, wire: Wire, options: TransferOptions) {
    this.#plan = plan;
    this.#wire = wire;
    this.#options = options;
    this.#retry = new RetryState(plan);
    this.#request = this.#retry.request;
    const now = wire.now();
    this.#activeAt = now;
    const { total } = this.#request.timeouts;
    this.#totalAt = total > 0 ? now + total * 1000 : Number.POSITIVE_INFINITY;
    this.#wait(this.#idleMs);
  }

  get state(): TransferState {
    return this.#state;
  }

  /** The request that was sent last. */
  get request(): UpstreamRequest {
    return this.#request;
  }

  /** Whether the small body that the plan may send again should be read before `start`. */
  get wantsWholeBody(): boolean {
    return this.#plan.repeatable;
  }

  // ---- Inputs -------------------------------------------------------------------------------

  /**
   * Begins. `isBodyRead`: the caller's whole body is in memory. `isUploading`: it will arrive while
   * it is sent.
   */
  start(isBodyRead: boolean, isUploading = false): void {
    if (this.#state !== 'idle') return;
    if (isBodyRead) this.#retry.bodyIsRead();
    this.#isUploading = isUploading;
    this.#guard(() => this.#next());
  }

  /**
   * So many bytes of the request body passed. Gives false if they are more than allowed; the
   * transfer has ended then.
   */
  uploaded(length: number): boolean {
    const { maxBodyBytes } = this.#options;
    this.#uploaded += length;
    this.#activeAt = this.#wire.now();
    if (maxBodyBytes === 0 || this.#uploaded <= maxBodyBytes) return true;
    this.#guard(() => this.#fail(faults.bodyTooLarge(maxBodyBytes)));
    return false;
  }

  /** The request body is sent whole: from here on the upstream has time for its first byte. */
  sent(): void {
    if (!this.#isUploading) return;
    this.#isUploading = false;
    if (this.#state === 'connecting') this.#wait(this.#request.timeouts.firstByte * 1000);
  }

  /** The upstream's response head. `isOpaque`: the runtime passes the body through unseen. */
  head(status: number, headers: RawHeaders, isOpaque = false): void {
    if (this.#state !== 'connecting') return;
    this.#guard(() => this.#headArrived(status, headers, isOpaque));
  }

  /** The upstream agreed to a WebSocket. The wire joins the sockets after this. */
  upgraded(status: number, headers: RawHeaders): void {
    if (this.#state !== 'connecting') return;
    this.#guard(() => {
      this.#plan.report(this.#request, 'ok');
      this.#status = status;
      this.#headers = headers;
      this.#bytes = null;
      this.#commit();
    });
  }

  /** Bytes of the response body. */
  data(chunk: Uint8Array): void {
    if (this.#state === 'streaming') {
      try {
        this.#forward(chunk);
      } catch (error) {
        this.#crash(error);
      }
    } else if (this.#state === 'peeking') this.#guard(() => this.#hold(chunk));
    else if (this.#state === 'draining') {
      this.#drainBytes -= chunk.length;
      this.#options.tap?.(chunk);
      if (this.#drainBytes < 0) this.#stop('client');
    }
  }

  /** Bytes passed through a WebSocket, in either direction. */
  active(): void {
    this.#activeAt = this.#wire.now();
  }

  /** The response is complete. */
  end(): void {
    this.#guard(() => {
      if (this.#state === 'draining') return this.#close('client');
      if (this.#state === 'peeking') this.#commitHeld();
      if (this.#state !== 'streaming') return;
      if (this.#isShort()) return this.#broken(faults.brokeOff());
      this.#wire.finish();
      this.#close('done');
    });
  }

  /** The attempt failed. */
  error(fault: UpstreamFault): void {
    this.#guard(() => this.#failed(fault));
  }

  /** The client closed its connection. */
  clientClosed(): void {
    if (this.#state === 'closed' || this.#state === 'draining') return;
    const { whenCallerLeaves: policy } = this.#request;
    if (this.#state !== 'streaming' || policy === 'cancel' || this.#plan.kind === 'tunnel')
      return this.#stop('client');
    this.#state = 'draining';
    this.#drainBytes = policy.bytes;
    this.#wait(policy.seconds * 1000);
    this.#wire.readOn();
  }

  /** The gateway stops: whatever is still open is cut. */
  shutDown(): void {
    if (this.#state === 'closed') return;
    this.#guard(() => {
      this.#wire.abort(new Error('the gateway stops'));
      this.#wire.cut();
      this.#close('gateway', 'the gateway was stopped');
    });
  }

  /**
   * The runtime carries the rest of the body by itself: bytes are not seen, and not counted, from
   * here on.
   */
  unwatched(): void {
    this.#bytes = null;
    this.#stateAt = Number.POSITIVE_INFINITY;
  }

  /** Time passed. */
  tick(now: number): void {
    this.#guard(() => this.#checkTime(now));
  }

  // ---- Attempts -----------------------------------------------------------------------------

  /** Runs a step. A throw in it ends the transfer like any other failure. */
  #guard(step: () => void): void {
    if (this.#state === 'closed') return;
    try {
      step();
    } catch (error) {
      this.#crash(error);
    }
  }

  /** Sends the request whose turn it is, once its upstream has a slot for it. */
  #next(): void {
    this.#request = this.#retry.request;
    this.#redirects = 0;
    const { slots } = this.#request;
    if (slots === null) return this.#send();
    this.#release = slots.tryAcquire();
    if (this.#release) return this.#send();
    const decision = this.#retry.afterFailure('full');
    if (decision !== 'keep') return this.#again(decision);
    this.#state = 'queued';
    this.#stateAt = Number.POSITIVE_INFINITY;
    this.#leaveQueue = slots.enqueue((release) => this.#granted(release));
    if (!this.#leaveQueue) this.#fail(faults.atLimit());
    else this.#wake();
  }

  #granted(release: Release | null): void {
    this.#leaveQueue = null;
    if (this.#state !== 'queued') return release?.();
    this.#release = release;
    this.#guard(() => (release ? this.#send() : this.#fail(faults.atLimit())));
  }

  #send(): void {
    this.#state = 'connecting';
    this.#activeAt = this.#wire.now();
    const { firstByte } = this.#request.timeouts;
    // While the caller still sends its body, only silence counts.
    this.#wait(this.#isUploading ? this.#idleMs : firstByte * 1000);
    this.#wire.send(this.#request);
  }

  #again({ waitMs }: Exclude<Decision, 'keep'>): void {
    if (this.#state === 'connecting' || this.#state === 'peeking')
      this.#wire.abort(new Error('another attempt follows'));
    this.#dropHeld();
    this.#releaseSlot();
    if (waitMs === 0) return this.#next();
    this.#state = 'paused';
    this.#wait(waitMs);
  }

  #headArrived(status: number, headers: RawHeaders, isOpaque: boolean): void {
    if (status < 200 || status > 599) {
      this.#wire.abort(new Error('invalid status'));
      return this.#failed(faults.invalidHead());
    }
    const header = (name: string): string | undefined => headerOf(headers, name);
    if (status > 300 && status < 309) {
      const next = sameHostRedirect(this.#plan.method, this.#request, status, header('location'));
      if (next && this.#redirects < maxRedirects) return this.#follow(next);
    }
    const decision = this.#retry.afterStatus(status, header, Date.now);
    if (decision !== 'keep') return this.#again(decision);
    this.#status = status;
    this.#headers = headers;
    this.#activeAt = this.#wire.now();
    if (isOpaque) return this.#commit();
    const isEvents = isEventStream(header('content-type'));
    if (isEvents && status === 200 && this.#retry.hasNext) {
      this.#state = 'peeking';
      this.#peek = createPeek();
      return this.#wait(peekMs);
    }
    const length = Number(header('content-length') ?? Number.POSITIVE_INFINITY);
    const isHeld = this.#plan.method !== 'HEAD' && !isEvents && this.#isSmall(length);
    if (!isHeld) return this.#commit();
    this.#state = 'peeking';
    this.#wait(this.#idleMs);
  }

  /** Held until whole: short bodies, and errors, whose text may have to be changed. */
  #isSmall(length: number): boolean {
    if (length <= smallBytes) return length > 0;
    return length === Number.POSITIVE_INFINITY && (this.#status >= 400 || this.#plan.kind === 'tunnel');
  }

  /** Follows at the head: the redirect's own body is not read. */
  #follow(next: UpstreamRequest): void {
    this.#wire.abort(new Error('redirected'));
    this.#redirects++;
    this.#request = next;
    this.#send();
  }

  #failed(fault: UpstreamFault): void {
    if (this.#state === 'draining') return this.#close('client');
    if (this.#state === 'streaming') return this.#broken(fault);
    const decision = fault.kind ? this.#retry.afterFailure(fault.kind) : 'keep';
    if (decision !== 'keep') {
      // The wire has ended this attempt already.
      this.#state = 'idle';
      return this.#again(decision);
    }
    if (this.#peek && this.#heldBytes > 0) {
      this.#commitHeld();
      return this.#broken(fault);
    }
    this.#fail(fault);
  }

  // ---- The response -------------------------------------------------------------------------

  #hold(chunk: Uint8Array): void {
    this.#activeAt = this.#wire.now();
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    if (!this.#peek) {
      if (this.#heldBytes > smallBytes) this.#commitHeld();
      return;
    }
    const kind = this.#peek.push(chunk);
    if (kind === 'more') return;
    const decision = kind === 'error' ? this.#retry.afterErrorEvent() : 'keep';
    if (decision === 'keep') this.#commitHeld();
    else this.#again(decision);
  }

  /** Commits the response and sends what was held of it. */
  #commitHeld(): void {
    const held = this.#held;
    const isWhole = this.#peek === null;
    this.#held = [];
    this.#heldBytes = 0;
    const { secret } = this.#request;
    if (!isWhole || secret === null || this.#status < 400) {
      this.#commit();
      for (const chunk of held) this.#forward(chunk);
      return;
    }
    const body = withoutSecret(concatBytes(held), secret);
    if (this.#status === 401 || this.#status === 403) {
      this.#wire.abort(new Error('the key was refused'));
      return this.#fail(credentialsRefused(this.#request.upstream, this.#status, errorText(body)));
    }
    this.#commit(body.length);
    this.#forward(body);
  }

  /** Sends the head to the client. From here on no other request is sent. */
  #commit(length?: number): void {
    const contentType = headerOf(this.#headers, 'content-type');
    const isStream = isEventStream(contentType);
    const isOpen = isStream && headerOf(this.#headers, 'content-encoding') === undefined;
    if (isOpen && !this.#isBodiless()) this.#boundary = createEventBoundary();
    const promised = length ?? Number(headerOf(this.#headers, 'content-length') ?? Number.POSITIVE_INFINITY);
    const { secret } = this.#request;
    // A heartbeat or an error line may be added to a stream of events, so its length is not
    // promised.
    const headers = responseHeaders(this.#headers, this.#options.addedHeaders, isStream, {
      secrets: secret === null ? [] : [secret],
      dropLength: this.#boundary !== null || length !== undefined,
    });
    if (length !== undefined) headers.push('content-length', String(length));
    this.#promised = this.#boundary ? Number.POSITIVE_INFINITY : promised;
    this.#state = 'streaming';
    this.#activeAt = this.#wire.now();
    this.#sentAt = this.#activeAt;
    this.#peek = null;
    this.#stateAt = Number.POSITIVE_INFINITY;
    this.#isHeadWritten = true;
    this.#wire.writeHead(this.#status, headers);
    this.#wake();
  }

  /** The hot path: one call for each chunk of a response. */
  #forward(chunk: Uint8Array): void {
    const now = this.#wire.now();
    this.#firstByteAt ??= performance.now();
    this.#activeAt = now;
    this.#promised -= chunk.length;
    if (this.#promised < 0) return this.#broken(faults.brokeOff());
    if (this.#bytes !== null) this.#bytes += chunk.length;
    if (this.#boundary) {
      this.#boundary.pass(chunk);
      this.#sentAt = now;
      this.#last = chunk;
    }
    this.#options.tap?.(chunk);
    this.#wire.write(chunk);
  }

  /** Ends a response that was committed but did not complete. */
  #broken(fault: UpstreamFault): void {
    this.#plan.report(this.#request, 'failed');
    if (this.#boundary) {
      const text =
        (this.#bytes !== null && this.#boundary.isBetweenEvents() ? '' : '\n\n') + errorEvent(fault.failure);
      const line = new TextEncoder().encode(text);
      if (this.#bytes !== null) this.#bytes += line.length;
      this.#wire.write(line);
    }
    this.#wire.cut();
    this.#close(fault.endedBy, messageOf(fault));
  }

  /** Answers with an error of our own. */
  #fail(fault: UpstreamFault): void {
    if (this.#state === 'connecting' || this.#state === 'peeking') this.#wire.abort(new Error('refused'));
    if (this.#isHeadWritten) return this.#broken(fault);
    this.#status = fault.failure.status;
    this.#isHeadWritten = true;
    this.#wire.refuse(fault.failure);
    this.#close(fault.endedBy, messageOf(fault));
  }

  /** An exception of ours: the request still ends, and releases everything. */
  #crash(error: unknown): void {
    if (this.#state === 'closed') return;
    const wasWritten = this.#isHeadWritten && this.#bytes !== 0;
    try {
      this.#wire.abort(error instanceof Error ? error : new Error(String(error)));
      if (wasWritten) this.#wire.cut();
      else {
        const { failure } = faults.invalidHead(error);
        this.#status = failure.status;
        this.#wire.refuse(failure);
      }
    } catch {
      this.#wire.cut();
    }
    this.#close('gateway', String(error));
  }

  /** Gives up a response that is not read any more. */
  #stop(endedBy: EndedBy): void {
    if (this.#state !== 'closed') this.#wire.abort(new Error('the client left'));
    this.#close(endedBy);
  }

  // ---- Time ---------------------------------------------------------------------------------

  get #idleMs(): number {
    return this.#request.timeouts.idle * 1000;
  }

  /** Ends the current state after so many milliseconds; 0 for never. */
  #wait(ms: number): void {
    this.#stateAt = ms > 0 ? this.#wire.now() + ms : Number.POSITIVE_INFINITY;
    this.#wake();
  }

  #wake(): void {
    const at = Math.min(this.#stateAt, this.#totalAt, this.#idleAt(), this.#heartbeatAt());
    if (at !== Number.POSITIVE_INFINITY) this.#wire.wake(Math.max(at - this.#wire.now(), 1));
  }

  #idleAt(): number {
    return this.#state === 'streaming' && this.#bytesAreSeen() && this.#idleMs > 0
      ? this.#activeAt + this.#idleMs
      : Number.POSITIVE_INFINITY;
  }

  #bytesAreSeen(): boolean {
    return this.#bytes !== null || this.#plan.kind === 'tunnel';
  }

  #heartbeatAt(): number {
    const { keepAlive } = this.#options;
    return this.#state === 'streaming' && this.#boundary && keepAlive > 0 && this.#bytes !== null
      ? this.#sentAt + keepAlive * 1000
      : Number.POSITIVE_INFINITY;
  }

  #checkTime(now: number): void {
    if (this.#state === 'draining') return now >= this.#stateAt ? this.#stop('client') : this.#wake();
    if (now >= this.#totalAt) return this.#timedOut(faults.totalTimeout(this.#request.timeouts.total));
    if (this.#state === 'streaming') return this.#checkSilence(now);
    const isSilenceMeasured = this.#isUploading || this.#state === 'idle' || this.#state === 'peeking';
    if (isSilenceMeasured && !this.#peek && this.#idleMs > 0) this.#stateAt = this.#activeAt + this.#idleMs;
    if (now < this.#stateAt) return this.#wake();
    if (this.#state === 'paused') return this.#next();
    if (this.#state === 'peeking' && this.#peek) return this.#commitHeld();
    const { idle, firstByte } = this.#request.timeouts;
    if (this.#state === 'peeking') return this.#timedOut(faults.idleTimeout(idle));
    if (this.#state === 'idle' || (this.#isUploading && !this.#wire.isUploadBlocked))
      return this.#fail(faults.bodySilent(idle));
    this.#timedOut(faults.firstByteTimeout(firstByte));
  }

  #checkSilence(now: number): void {
    // Silence of an upstream that we hold back, because the client does not read, is no fault of
    // it.
    if (this.#wire.isBlocked) this.#activeAt = now;
    if (now >= this.#idleAt()) return this.#timedOut(faults.idleTimeout(this.#request.timeouts.idle));
    if (now >= this.#heartbeatAt()) {
      this.#sentAt = now;
      if (this.#boundary?.isBetweenEvents() && !this.#wire.isBlocked) this.#beat();
    }
    this.#wake();
  }

  #beat(): void {
    const { id } = this.#options;
    const { heartbeat: style, model } = this.#plan;
    const bytes = heartbeat(style, this.#last, {
      id: `chatcmpl-${id}`,
      created: Math.floor(Date.now() / 1000),
      model: model ?? '',
    });
    if (this.#bytes !== null) this.#bytes += bytes.length;
    this.#wire.write(bytes);
  }

  #timedOut(fault: UpstreamFault): void {
    if (this.#state === 'connecting' || this.#state === 'peeking' || this.#state === 'streaming')
      this.#wire.abort(fault.failure);
    this.#failed(fault);
  }

  // ---- The exit -----------------------------------------------------------------------------

  #dropHeld(): void {
    this.#held = [];
    this.#heldBytes = 0;
    this.#peek = null;
  }

  #releaseSlot(): void {
    this.#leaveQueue?.();
    this.#leaveQueue = null;
    this.#release?.();
    this.#release = null;
  }

  #close(endedBy: EndedBy, error?: string): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#dropHeld();
    this.#last = null;
    this.#releaseSlot();
    this.#wire.close();
    this.#options.onEnd({
      status: this.#isHeadWritten ? this.#status : 499,
      bytes: this.#bytes,
      firstByteAt: this.#firstByteAt,
      endedBy,
      error,
      upstream: this.#retry.request.upstream,
      attempts: this.#retry.count,
    });
  }

  /** Whether the response has fewer bytes than it promised. */
  #isShort(): boolean {
    const left = this.#promised;
    return left > 0 && left !== Number.POSITIVE_INFINITY && this.#bytes !== null && !this.#isBodiless();
  }

  #isBodiless(): boolean {
    return (
      this.#plan.method === 'HEAD' || this.#status === 204 || this.#status === 205 || this.#status === 304
    );
  }
}

/** The log's text: the failure's words, and those of its cause if there is one. */
function messageOf({ failure }: UpstreamFault): string {
  const { cause } = failure;
  return cause instanceof Error && cause.message !== ''
    ? `${failure.message} (${cause.message})`
    : failure.message;
}
