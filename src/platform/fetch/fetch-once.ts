import { Failure, toFailure } from '../../http/failure.ts';
import { toHeaders } from '../../http/raw-headers.ts';
import {
  maxRedirects,
  type Relay,
  sameHostRedirect,
  type Tunnel,
  type UpstreamRequest,
} from '../../relay/relay.ts';
import type { FailureKind } from '../../relay/retry.ts';

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** What goes to a hop as its body where the plan has none of its own. */
export type CallersBody = Uint8Array | ReadableStream<Uint8Array> | null;

/** What became of asking one hop: an answer, or why there is none; `trouble` is null where nobody else need be asked. */
export type Outcome =
  | { readonly kind: 'answer'; answer: Response }
  | { readonly kind: 'failure'; readonly failure: Failure; readonly trouble: FailureKind | null };

/** Asks one hop, and waits for the head of its answer as long as its timers allow. */
export async function fetchHop(
  plan: Relay | Tunnel,
  hop: UpstreamRequest,
  body: CallersBody,
  callers: AbortSignal,
  whole: AbortSignal | null,
  fetch: Fetch,
): Promise<Outcome> {
  const { timeouts } = hop;
  const { signal, arm, disarm, timedOut } = deadline(callers, timeouts.firstByte);
  if (callers.aborted) return failed(toFailure(callers.reason), null);
  arm();
  const sent = hop.body === 'incoming' ? body : hop.body;
  try {
    const both = whole ? AbortSignal.any([signal, whole]) : signal;
    return { kind: 'answer', answer: await follow(plan, hop, sent, fetch, both) };
  } catch (error) {
    if (whole?.aborted) {
      const message = `The answer took longer than ${timeouts.total} seconds, the most that TOTAL_TIMEOUT allows.`;
      return failed(new Failure('upstream_timeout', message, { cause: error }), null);
    }
    if (timedOut()) {
      const message = `The upstream gave no answer within ${timeouts.firstByte} seconds. FIRST_BYTE_TIMEOUT sets how long to wait.`;
      return failed(new Failure('upstream_timeout', message, { cause: error }), 'timeout');
    }
    if (error instanceof Failure || callers.aborted) return failed(toFailure(error), null);
    const message = 'The upstream could not be reached, or closed the connection without an answer.';
    return failed(new Failure('upstream_error', message, { cause: error }), 'unanswered');
  } finally {
    disarm();
  }
}

function failed(failure: Failure, trouble: FailureKind | null): Outcome {
  return { kind: 'failure', failure, trouble };
}

async function follow(
  plan: Relay | Tunnel,
  first: UpstreamRequest,
  body: CallersBody,
  fetch: Fetch,
  signal: AbortSignal,
): Promise<Response> {
  let hop = first;
  for (let redirects = 0; ; redirects++) {
    const answer = await fetch(hop.origin + hop.path, requestOf(plan, hop, body, signal));
    const next = sameHostRedirect(
      plan.method,
      hop,
      answer.status,
      answer.headers.get('location') ?? undefined,
    );
    if (!next || redirects === maxRedirects) return answer;
    await answer.body?.cancel();
    hop = next;
  }
}

function requestOf(
  plan: Relay | Tunnel,
  hop: UpstreamRequest,
  body: CallersBody,
  signal: AbortSignal,
): RequestInit {
  const headers = toHeaders(hop.headers);
  if (plan.kind === 'tunnel') headers.set('upgrade', 'websocket');
  const init: RequestInit & { duplex?: 'half' } = {
    method: plan.method,
    headers,
    signal,
    redirect: 'manual',
  };
  if (body !== null) {
    init.body = body as BodyInit;
    if (body instanceof ReadableStream) init.duplex = 'half';
  }
  return init;
}

/** A signal that follows the caller's and fires by itself when time runs out while it is armed. */
function deadline(callers: AbortSignal, seconds: number) {
  const controller = new AbortController();
  let expired = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const follow = () => controller.abort(callers.reason);
  if (callers.aborted) follow();
  else callers.addEventListener('abort', follow, { once: true });
  const disarm = () => clearTimeout(timer);
  return {
    signal: controller.signal,
    disarm,
    timedOut: () => expired,
    /** Starts the clock again. */
    arm(): void {
      disarm();
      if (seconds <= 0) return;
      timer = setTimeout(() => {
        expired = true;
        controller.abort(new Error('timed out'));
      }, seconds * 1000);
    },
    abort: (reason: unknown) => controller.abort(reason),
  };
}
