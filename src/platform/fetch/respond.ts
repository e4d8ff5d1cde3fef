import { errorEvent, Failure, toFailure } from '../../http/failure.ts';
import { isEventStream, responseHeaders } from '../../http/headers.ts';
import { toHeaders, toPairs } from '../../http/raw-headers.ts';
import type { Incoming } from '../../http/request.ts';
import type { Ports } from '../../ports/ports.ts';
import { carryEventStream, endingOf } from '../../relay/event-stream.ts';
import type { UpstreamRequest } from '../../relay/relay.ts';
import { type Exchange, failureResponse, nullBodyStatuses, type Outcome } from '../../reply.ts';
import { countBytes } from '../../streams/count-bytes.ts';
import { withTimeout } from '../../streams/with-timeout.ts';
import { type Asked, ask } from './relay.ts';

/** Makes a pipe that the runtime carries bytes through by itself. */
type CreatePipe = () => ReadableWritablePair<Uint8Array, Uint8Array>;

/** Answers up to this size, in bytes, are read before they are handed on. */
const smallAnswer = 64 * 1024;

/** Carries an exchange out with web standards alone: the whole answer as a `Response`, its record written when it ends. */
export async function respond(
  exchange: Exchange,
  incoming: Incoming,
  ports: Ports,
  keepAlive: number,
  createPipe: CreatePipe | null = null,
): Promise<Response> {
  const { reply } = exchange;
  if (reply instanceof Response) return answered(reply, exchange, ports);
  let asked: Asked;
  try {
    asked = await ask(reply, incoming, ports.http.fetch);
  } catch (thrown) {
    if (incoming.signal.aborted) {
      exchange.end(outcome(exchange, 499, { endedBy: 'client' }));
      return new Response(null, { status: 499 });
    }
    const failure = toFailure(thrown);
    return answered(failureResponse(failure), exchange, ports, {
      endedBy: failure.code === 'upstream_timeout' ? 'timeout' : 'upstream',
      error: failure.message,
    });
  }
  const { answer, hop, attempts, release } = asked;
  const told: Exchange = {
    ...exchange,
    end(outcome) {
      release();
      if (outcome.endedBy === 'upstream' || outcome.endedBy === 'timeout') reply.report(hop, 'failed');
      exchange.end({ ...outcome, upstream: hop.upstream, ...(attempts > 1 ? { attempts } : {}) });
    },
  };
  return reply.kind === 'tunnel'
    ? tunnelled(answer, told)
    : relayed(answer, hop, told, ports, keepAlive, createPipe);
}

function outcome(exchange: Exchange, status: number, more: Partial<Outcome> = {}): Outcome {
  return { status, bytes: null, firstByteMs: Date.now() - exchange.startedAt, endedBy: 'done', ...more };
}

/** An answer of our own, with what goes on every answer; counted as it goes out. */
function answered(reply: Response, exchange: Exchange, ports: Ports, more: Partial<Outcome> = {}): Response {
  const headers = toHeaders(
    responseHeaders(
      toPairs(reply.headers),
      exchange.addedHeaders,
      isEventStream(reply.headers.get('content-type')),
    ),
  );
  if (reply.body === null) {
    exchange.end(outcome(exchange, reply.status, { bytes: 0, ...more }));
    return new Response(null, { status: reply.status, headers });
  }
  const begun = outcome(exchange, reply.status);
  const known = endingOf(reply.body);
  const { body, ended } = known ? { body: reply.body, ended: known } : countBytes(reply.body);
  ports.tasks.defer(ended.then(({ bytes, by }) => exchange.end({ ...begun, bytes, endedBy: by, ...more })));
  return new Response(body, { status: reply.status, headers });
}

/** An upstream's answer, its body untouched. */
function relayed(
  answer: Response,
  hop: UpstreamRequest,
  exchange: Exchange,
  ports: Ports,
  keepAlive: number,
  createPipe: CreatePipe | null,
): Response | Promise<Response> {
  const encoded = answer.headers.has('content-encoding');
  const stream = isEventStream(answer.headers.get('content-type'));
  const headers = toHeaders(responseHeaders(toPairs(answer.headers), exchange.addedHeaders, stream));
  const init = { status: answer.status, statusText: answer.statusText, headers };
  if (answer.body === null || nullBodyStatuses.has(answer.status)) {
    exchange.end(outcome(exchange, answer.status, { bytes: 0 }));
    return new Response(null, init);
  }
  if (stream && !encoded) {
    headers.delete('content-length');
    // Nothing here waits for a chunk then, so none need come to us.
    if (createPipe && keepAlive === 0 && hop.timeouts.idle === 0)
      return new Response(piped(answer, answer.body, createPipe(), exchange, ports), init);
    const body = carryEventStream(answer.body.getReader(), {
      keepAlive,
      idle: hop.timeouts.idle,
      errorEvent: (_error, idle) => errorEvent(brokenStream(idle, hop.timeouts.idle)),
    });
    void endingOf(body)?.then(({ bytes, firstByteAt, by, error }) =>
      exchange.end({
        status: answer.status,
        bytes,
        firstByteMs: firstByteAt === null ? null : firstByteAt - exchange.startedAt,
        endedBy: by,
        ...(error === undefined ? {} : { error: messageOf(error) }),
      }),
    );
    return new Response(body, init);
  }
  if (encoded) {
    // Handed on untouched, so that the runtime passes the compressed bytes through; it does not tell when they have gone.
    exchange.end(
      outcome(exchange, answer.status, { bytes: Number(answer.headers.get('content-length')) || null }),
    );
    return new Response(answer.body, init);
  }
  if (Number(answer.headers.get('content-length') ?? Infinity) <= smallAnswer)
    return small(answer, hop, init, exchange);
  const begun = outcome(exchange, answer.status);
  const { body, ended } = countBytes(answer.body, hop.timeouts.idle);
  ports.tasks.defer(
    ended.then(({ bytes, by, error }) =>
      exchange.end({ ...begun, bytes, endedBy: by, ...(error === undefined ? {} : { error }) }),
    ),
  );
  return new Response(body, init);
}

/**
 * An event stream that the runtime carries by itself, at a third of what it costs to see each chunk. It tells when it is through, but not
 * how many bytes it took; where the upstream breaks off, the error line still follows.
 */
function piped(
  { status }: Response,
  body: ReadableStream<Uint8Array>,
  { readable, writable }: ReadableWritablePair<Uint8Array, Uint8Array>,
  exchange: Exchange,
  ports: Ports,
): ReadableStream<Uint8Array> {
  const begun = outcome(exchange, status);
  const carried = body.pipeTo(writable, { preventClose: true, preventAbort: true }).then(
    async () => {
      await writable.close();
      exchange.end(begun);
    },
    async (error: unknown) => {
      // Where the caller is gone, this cannot be written, and that tells who ended it.
      const writer = writable.getWriter();
      await writer.write(new TextEncoder().encode(`\n\n${errorEvent(brokenStream(false, 0))}`));
      await writer.close();
      exchange.end({ ...begun, endedBy: 'upstream', error: messageOf(error) });
    },
  );
  ports.tasks.defer(
    carried.catch((error: unknown) => exchange.end({ ...begun, endedBy: 'client', error: messageOf(error) })),
  );
  return readable;
}

/** A short answer, read whole: that is one step for the runtime, where a stream is many. One that does not come whole is an error. */
async function small(
  answer: Response,
  { timeouts }: UpstreamRequest,
  init: ResponseInit,
  exchange: Exchange,
): Promise<Response> {
  try {
    const body = await withTimeout(answer.arrayBuffer(), timeouts.idle, () =>
      brokenStream(true, timeouts.idle),
    );
    exchange.end(outcome(exchange, answer.status, { bytes: body.byteLength }));
    return new Response(body, init);
  } catch (error) {
    const failure = error instanceof Failure ? error : brokenStream(false, timeouts.idle);
    exchange.end(
      outcome(exchange, failure.status, {
        endedBy: failure.code === 'upstream_timeout' ? 'timeout' : 'upstream',
        error: messageOf(error),
      }),
    );
    const sent = failureResponse(failure);
    return new Response(sent.body, {
      status: sent.status,
      headers: toHeaders(responseHeaders(toPairs(sent.headers), exchange.addedHeaders, false)),
    });
  }
}

function tunnelled(answer: Response, exchange: Exchange): Response {
  const socket = (answer as Response & { webSocket?: unknown }).webSocket;
  exchange.end(outcome(exchange, answer.status));
  const headers = toHeaders(responseHeaders(toPairs(answer.headers), exchange.addedHeaders, false));
  if (!socket) return new Response(answer.body, { status: answer.status, headers });
  return new Response(null, { status: 101, headers, webSocket: socket } as ResponseInit);
}

/** What the last line of a broken stream says. */
export function brokenStream(idle: boolean, seconds: number): Failure {
  return idle
    ? new Failure(
        'upstream_timeout',
        `The upstream fell silent for ${seconds} seconds in the middle of its answer. IDLE_TIMEOUT sets how long to wait.`,
      )
    : new Failure(
        'upstream_error',
        'The upstream broke off in the middle of its answer. What came before is incomplete.',
      );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
