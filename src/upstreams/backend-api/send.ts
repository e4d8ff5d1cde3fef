import { readConnectionError } from '../../http/connection-error.ts';
import { Failure } from '../../http/failure.ts';
import type { Http } from '../../ports/http.ts';
import type { Timeouts } from '../../relay/relay.ts';
import { sleep } from '../../streams/sleep.ts';

export type SendOptions = {
  readonly timeouts: Pick<Timeouts, 'connect' | 'firstByte'>;
  /** The caller's signal; null for requests that no caller waits for. */
  readonly signal: AbortSignal | null;
  /** Called before the request is sent a second time. */
  readonly onRetry?: (() => void) | undefined;
};

/** Wait before a second attempt if the upstream refused the connection, in milliseconds. */
const refusedWaitMs = 200;

/**
 * Sends one request, and waits for the head of the response for at most `firstByte` seconds. It is
 * sent once more if the connection was refused, or lost before any byte of an answer: an upstream
 * may close a kept connection at the moment it is reused. The second attempt uses a new connection.
 * Throws a 502 or 504 that names the cause, or the reason of the signal if that is a failure.
 */
export async function sendRequest(
  http: Pick<Http, 'fetch'>,
  url: string,
  init: Omit<RequestInit, 'signal' | 'redirect'>,
  { timeouts, signal, onRetry }: SendOptions,
): Promise<Response> {
  const { connect, firstByte } = timeouts;
  const timeout = new AbortController();
  const timer = firstByte > 0 ? setTimeout(() => timeout.abort(), firstByte * 1000) : undefined;
  const either = signal ? AbortSignal.any([signal, timeout.signal]) : timeout.signal;
  const attempt = (isRetry: boolean) =>
    http.fetch(url, { ...init, redirect: 'manual', signal: either }, isRetry);
  /** The failure of a request that a signal ended; null if none did. */
  const ended = (cause: unknown): Failure | null => {
    if (signal?.aborted)
      return signal.reason instanceof Failure
        ? signal.reason
        : new Failure('upstream_error', 'The request was cancelled.', { cause });
    if (!timeout.signal.aborted) return null;
    return new Failure(
      'upstream_timeout',
      `The upstream gave no answer within ${firstByte} seconds. FIRST_BYTE_TIMEOUT sets how long to wait.`,
      { cause },
    );
  };
  try {
    return await attempt(false).catch(async (error: unknown) => {
      const { kind, failure } = readConnectionError(error, connect);
      if (either.aborted || kind === null || kind === 'unconnected') throw ended(error) ?? failure;
      if (kind === 'unsent') await sleep(refusedWaitMs, either);
      onRetry?.();
      return attempt(true);
    });
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw ended(error) ?? readConnectionError(error, connect).failure;
  } finally {
    clearTimeout(timer);
  }
}
