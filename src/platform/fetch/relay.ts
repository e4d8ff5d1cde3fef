import { Failure } from '../../http/failure.ts';
import { isEventStream } from '../../http/headers.ts';
import type { Incoming } from '../../http/request.ts';
import type { Relay, Tunnel, UpstreamRequest } from '../../relay/relay.ts';
import { type Decision, RetryState } from '../../relay/retry.ts';
import { readAll } from '../../streams/read-all.ts';
import { sleep } from '../../streams/sleep.ts';
import { type CallersBody, type Fetch, fetchHop, type Outcome } from './fetch-once.ts';
import { peekAt } from './peek-body.ts';

/** As much of a request as carrying needs beyond the plan. */
type Source = Pick<Incoming, 'signal' | 'stream'> & { readonly head?: Incoming['head'] };

/** The answer that was kept, who gave it, how many were asked, and what to call once it is over. */
export type Asked = {
  readonly answer: Response;
  readonly hop: UpstreamRequest;
  readonly attempts: number;
  readonly release: () => void;
};

/** Bodies up to this size are read where there is another hop they might be sent to. */
const smallBody = 64 * 1024;

/**
 * Asks upstreams as a plan says, with any `fetch`, until an answer is worth keeping. Gives it as it came, its body unread. Throws a 502 or
 * 504 where none came. `connect` has no timer of its own here: `fetch` does not tell when it is connected.
 */
export async function ask(plan: Relay | Tunnel, incoming: Source, fetch: Fetch): Promise<Asked> {
  const attempts = new RetryState(plan);
  const { total } = attempts.request.timeouts;
  const whole = total > 0 ? AbortSignal.timeout(total * 1000) : null;
  const body = await bodyOf(plan, incoming);
  if (body instanceof Uint8Array) attempts.bodyIsRead();
  for (;;) {
    const { request: hop } = attempts;
    const release = await enter(attempts, incoming.signal);
    if (release === 'moved') continue;
    let verdict: Decision;
    try {
      const outcome = await fetchHop(plan, hop, body, incoming.signal, whole, fetch);
      verdict = await verdictOn(outcome, attempts);
      if (verdict === 'keep') {
        if (outcome.kind === 'failure') throw outcome.failure;
        return { answer: outcome.answer, hop, attempts: attempts.count, release };
      }
    } catch (error) {
      release();
      throw error;
    }
    release();
    if (verdict.waitMs > 0) await sleep(verdict.waitMs, incoming.signal);
    if (incoming.signal.aborted) throw new Failure('upstream_error', 'The caller left.');
  }
}

/** The caller's body: read where it is small and might be sent more than once, else as it arrives. */
async function bodyOf(plan: Relay | Tunnel, incoming: Source): Promise<CallersBody> {
  if (plan.requests[0].body !== 'incoming') return null;
  const length = Number(incoming.head?.get('content-length') ?? Number.NaN);
  const stream = incoming.stream();
  const isWorthReading = plan.repeatable && (plan.requests.length > 1 || plan.retries > 0);
  if (!isWorthReading || !(length <= smallBody)) return stream;
  return readAll(stream, smallBody, () => new Failure('body_too_large', 'The body is longer than it said.'));
}

/** A place at the hop whose turn it is; `moved` where another one is to be asked instead. Throws a 503 where all are full. */
async function enter(attempts: RetryState, signal: AbortSignal): Promise<(() => void) | 'moved'> {
  const { slots } = attempts.request;
  if (slots === null) return () => {};
  const free = slots.tryAcquire();
  if (free) return free;
  if (attempts.afterFailure('full') !== 'keep') return 'moved';
  const later = await attempts.request.slots?.acquire(signal);
  if (later) return later;
  throw atItsLimit();
}

async function verdictOn(outcome: Outcome, attempts: RetryState): Promise<Decision> {
  if (outcome.kind === 'failure') return outcome.trouble ? attempts.afterFailure(outcome.trouble) : 'keep';
  const { answer } = outcome;
  const verdict = attempts.afterStatus(
    answer.status,
    (name) => answer.headers.get(name) ?? undefined,
    Date.now(),
  );
  if (verdict !== 'keep') {
    // A body that broke already is no reason to end here.
    await answer.body?.cancel().catch(() => {});
    return verdict;
  }
  if (answer.status !== 200 || !attempts.hasNext || !isEventStream(answer.headers.get('content-type')))
    return 'keep';
  const peeked = await peekAt(answer);
  outcome.answer = peeked.answer;
  if (!peeked.isError) return 'keep';
  const next = attempts.afterErrorEvent();
  if (next !== 'keep') await peeked.answer.body?.cancel().catch(() => {});
  return next;
}

/** The 503 of an upstream that is asked as much as it may be, and whose line is full. */
export function atItsLimit(): Failure {
  return new Failure(
    'unavailable',
    'The upstream has as many requests as it may get at once, and too many wait already. Try again shortly.',
    { headers: { 'retry-after': '1' } },
  );
}
