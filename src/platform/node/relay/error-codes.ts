import { Failure } from '../../../http/failure.ts';
import type { Timeouts } from '../../../relay/relay.ts';
import type { FailureKind } from '../../../relay/retry.ts';
import type { EndedBy } from '../../../reply.ts';

/** The 413 of a relayed body beyond the owner's limit, in bytes. */
export function overLimit(limit: number): Failure {
  return new Failure(
    'body_too_large',
    `The request body is larger than ${limit} bytes. MAX_RELAY_BYTES at the gateway sets the limit.`,
  );
}

/** What an error of the HTTP client means: to the caller, to the record, and to whether another hop may be asked. */
export type Refusal = {
  readonly failure: Failure;
  readonly endedBy: EndedBy;
  /** How it failed; null where the request itself is at fault. */
  readonly trouble: FailureKind | null;
};

/** Reads an error of the HTTP client. Its words never hold the upstream's address. */
export function refusalOf(error: Error, timeouts: Timeouts): Refusal {
  const code = (error as { code?: unknown }).code;
  const timeout = (message: string, trouble: FailureKind | null = 'timeout'): Refusal => ({
    failure: new Failure('upstream_timeout', message, { cause: error }),
    endedBy: 'timeout',
    trouble,
  });
  const broken = (message: string, trouble: FailureKind = 'unanswered'): Refusal => ({
    failure: new Failure('upstream_error', message, { cause: error }),
    endedBy: 'upstream',
    trouble,
  });
  switch (code) {
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'ETIMEDOUT':
      return timeout(
        `The upstream could not be connected to within ${timeouts.connect} seconds (CONNECT_TIMEOUT). Check its address.`,
        'unsent',
      );
    case 'UND_ERR_HEADERS_TIMEOUT':
      return timeout(
        `The upstream gave no answer within ${timeouts.firstByte} seconds. FIRST_BYTE_TIMEOUT sets how long to wait.`,
      );
    case 'UND_ERR_BODY_TIMEOUT':
      return timeout(
        `The upstream fell silent for ${timeouts.idle} seconds. IDLE_TIMEOUT sets how long to wait.`,
      );
    case 'TOTAL_TIMEOUT':
      return timeout(
        `The answer took longer than ${timeouts.total} seconds, the most that TOTAL_TIMEOUT allows.`,
        null,
      );
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return broken(
        "The upstream's host name could not be resolved. Check its base URL at the gateway.",
        'unsent',
      );
    case 'ECONNREFUSED':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return broken(
        'The upstream refused the connection or is not reachable. Check that it runs, and its base URL at the gateway.',
        'unsent',
      );
    case 'UND_ERR_HEADERS_OVERFLOW':
      return broken('The upstream answered with more headers than can be read.');
    case 'UND_ERR_INVALID_ARG':
      return {
        failure: new Failure(
          'invalid_request',
          'The request cannot be sent on: a header or its path holds characters that HTTP does not allow.',
        ),
        endedBy: 'gateway',
        trouble: null,
      };
    default:
      return broken('The upstream closed the connection without a whole answer.');
  }
}
