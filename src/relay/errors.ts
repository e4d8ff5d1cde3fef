import type { EndedBy } from '../http/ended-by.ts';
import { Failure } from '../http/failure.ts';
import type { FailureKind } from './retry.ts';

/**
 * Every error text that can end a relayed request, in one place. Both runtimes and the conversion
 * use them, so the same fault reads the same everywhere. No text holds an upstream's address or
 * key.
 */

/** Why a request to an upstream ended without a complete response. */
export type UpstreamFault = {
  readonly failure: Failure;
  readonly endedBy: EndedBy;
  /** How it failed, for the retry rules; null if no retry can help. */
  readonly kind: FailureKind | null;
};

const timeout = (message: string, kind: FailureKind | null = 'timeout', cause?: unknown): UpstreamFault => ({
  failure: new Failure('upstream_timeout', message, { cause }),
  endedBy: 'timeout',
  kind,
});

const broken = (
  message: string,
  kind: FailureKind | null = 'unanswered',
  cause?: unknown,
): UpstreamFault => ({
  failure: new Failure('upstream_error', message, { cause }),
  endedBy: 'upstream',
  kind,
});

const refused = (failure: Failure): UpstreamFault => ({ failure, endedBy: 'gateway', kind: null });

export const faults = {
  connectTimeout: (seconds: number, cause?: unknown) =>
    timeout(
      `No connection to the upstream within ${seconds} seconds (CONNECT_TIMEOUT). Check its address.`,
      'unconnected',
      cause,
    ),
  firstByteTimeout: (seconds: number) =>
    timeout(
      `The upstream gave no answer within ${seconds} seconds. FIRST_BYTE_TIMEOUT sets how long to wait.`,
    ),
  idleTimeout: (seconds: number) =>
    timeout(
      `The upstream fell silent for ${seconds} seconds in the middle of its answer. IDLE_TIMEOUT sets how long to wait.`,
    ),
  totalTimeout: (seconds: number) =>
    timeout(`The answer took longer than ${seconds} seconds, the most that TOTAL_TIMEOUT allows.`, null),
  unresolved: (cause?: unknown) =>
    broken(
      "The upstream's host name could not be resolved. Check its base URL at the gateway.",
      'unsent',
      cause,
    ),
  unreachable: (cause?: unknown) =>
    broken(
      'The upstream refused the connection or is not reachable. Check that it runs, and its base URL at the gateway.',
      'unsent',
      cause,
    ),
  certificate: (cause?: unknown) =>
    broken(
      "The upstream's TLS certificate is not accepted. Check its base URL, or add its CA with NODE_EXTRA_CA_CERTS.",
      'unsent',
      cause,
    ),
  headersTooLarge: (cause?: unknown) =>
    broken('The upstream answered with more headers than can be read.', 'unanswered', cause),
  invalidHead: (cause?: unknown) =>
    broken('The upstream answered with a status or a header that HTTP does not allow.', 'unanswered', cause),
  noAnswer: (cause?: unknown) =>
    broken('The upstream closed the connection without a whole answer.', 'unanswered', cause),
  /** For runtimes whose `fetch` does not say why it failed. */
  noAnswerOrUnreachable: (cause?: unknown) =>
    broken(
      'The upstream could not be reached, or closed the connection without an answer.',
      'unanswered',
      cause,
    ),
  brokeOff: (cause?: unknown) =>
    broken(
      'The upstream broke off in the middle of its answer. What came before is incomplete.',
      'unanswered',
      cause,
    ),
  unsendable: (cause?: unknown) =>
    refused(
      new Failure(
        'invalid_request',
        'The request cannot be sent on: a header or its path holds characters that HTTP does not allow.',
        { cause },
      ),
    ),
  bodyTooLarge: (limit: number) =>
    refused(
      new Failure(
        'body_too_large',
        `The request body is larger than ${limit} bytes. MAX_RELAY_BYTES at the gateway sets the limit.`,
      ),
    ),
  bodySilent: (seconds: number) =>
    refused(
      new Failure(
        'request_timeout',
        `The request body stopped arriving for ${seconds} seconds (IDLE_TIMEOUT). Send it again.`,
      ),
    ),
  atLimit: () => refused(atLimit()),
  internal: (cause: unknown) =>
    refused(
      new Failure('internal_error', 'The gateway failed to handle this request. Its log tells more.', {
        cause,
      }),
    ),
} as const;

/** The 503 of an upstream whose `concurrency` is used up and whose queue is full. */
export function atLimit(): Failure {
  return new Failure(
    'unavailable',
    'The upstream has as many requests as its "concurrency" allows, and its queue is full. Try again shortly.',
    { headers: { 'retry-after': '1' } },
  );
}

/**
 * The error of an upstream that refused the gateway's own key. `detail` is the upstream's text
 * without keys.
 */
export function credentialsRefused(upstream: string, status: number, detail: string): UpstreamFault {
  const quoted = detail === '' ? '' : ` It said: ${detail}`;
  return {
    failure: new Failure(
      'upstream_credentials',
      `The upstream "${upstream}" refused the gateway's own key (status ${status}). The owner of the gateway must replace it.${quoted}`,
    ),
    endedBy: 'upstream',
    kind: null,
  };
}
