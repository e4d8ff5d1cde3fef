import { Failure } from '../failure.ts';
import type { Incoming } from '../head.ts';
import type { HeaderPairs } from '../relay/headers.ts';
import { type Hop, maxRedirects, type Relay, sameHostRedirect, type Tunnel } from '../relay/relay.ts';

/** Headers from pairs, repeated names kept apart as far as `Headers` can. */
export function toHeaders(pairs: HeaderPairs): Headers {
  const headers = new Headers();
  for (let i = 0; i < pairs.length; i += 2) headers.append(pairs[i] as string, pairs[i + 1] as string);
  return headers;
}

/** Pairs from headers. */
export function toPairs(headers: Headers): HeaderPairs {
  const pairs: string[] = [];
  for (const [name, value] of headers) pairs.push(name, value);
  return pairs;
}

/** As much of a request as carrying needs beyond the plan. */
type Source = Pick<Incoming, 'signal' | 'stream'>;

type Fetch = (request: Request) => Promise<Response>;

/**
 * Asks an upstream as a plan says, with any `fetch`. Gives its answer as it came, its body unread. Throws a 502 or 504
 * where none came. `connect` has no timer of its own here: `fetch` does not tell when it is connected.
 */
export async function ask(plan: Relay | Tunnel, incoming: Source, fetch: Fetch): Promise<Response> {
  const { signal, arm, disarm, timedOut } = deadline(incoming.signal, plan.timeouts.firstByte);
  const { total } = plan.timeouts;
  const whole = total > 0 ? AbortSignal.timeout(total * 1000) : null;
  arm();
  try {
    return await follow(plan, incoming, fetch, whole ? AbortSignal.any([signal, whole]) : signal);
  } catch (error) {
    if (whole?.aborted) {
      throw new Failure(
        'upstream_timeout',
        `The answer took longer than ${total} seconds, the most that TOTAL_TIMEOUT allows.`,
        { cause: error },
      );
    }
    if (timedOut()) {
      throw new Failure(
        'upstream_timeout',
        `The upstream gave no answer within ${plan.timeouts.firstByte} seconds. FIRST_BYTE_TIMEOUT sets how long to wait.`,
        { cause: error },
      );
    }
    if (error instanceof Failure) throw error;
    throw new Failure(
      'upstream_error',
      'The upstream could not be reached, or closed the connection without an answer.',
      {
        cause: error,
      },
    );
  } finally {
    disarm();
  }
}

async function follow(
  plan: Relay | Tunnel,
  incoming: Source,
  fetch: Fetch,
  signal: AbortSignal,
): Promise<Response> {
  const method = plan.kind === 'relay' ? plan.method : 'GET';
  let hop: Hop = plan.hop;
  for (let redirects = 0; ; redirects++) {
    const answer = await fetch(toRequest(plan, hop, method, incoming, signal));
    const next = sameHostRedirect(method, hop, answer.status, answer.headers.get('location') ?? undefined);
    if (!next || redirects === maxRedirects) return answer;
    await answer.body?.cancel();
    hop = next;
  }
}

function toRequest(
  plan: Relay | Tunnel,
  hop: Hop,
  method: string,
  incoming: Source,
  signal: AbortSignal,
): Request {
  const headers = toHeaders(hop.headers);
  if (plan.kind === 'tunnel') headers.set('upgrade', 'websocket');
  const body = plan.kind === 'tunnel' ? null : plan.body === 'incoming' ? incoming.stream() : plan.body;
  const init: RequestInit & { duplex?: 'half' } = { method, headers, signal, redirect: 'manual' };
  if (body !== null) {
    init.body = body as BodyInit;
    if (body instanceof ReadableStream) init.duplex = 'half';
  }
  return new Request(hop.origin + hop.path, init);
}

/** A signal that follows the caller's and fires by itself when time runs out while it is armed. */
export function deadline(callers: AbortSignal, seconds: number) {
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
