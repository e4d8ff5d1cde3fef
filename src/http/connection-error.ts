import { Failure, type FailureCode } from './failure.ts';

/**
 * How a request failed before its response began. `unsent`: nothing reached the upstream.
 * `unconnected`: no connection in time. `unanswered`: the connection was lost before any byte of a
 * response. Null: the same request would fail the same way again.
 */
export type ConnectionErrorKind = 'unsent' | 'unconnected' | 'unanswered' | null;

/** What an error of an HTTP client means to the caller, and for a retry. */
export type ConnectionError = { readonly kind: ConnectionErrorKind; readonly failure: Failure };

/** Most causes that are searched for a code. */
const maxCauses = 4;

type Meaning = readonly [kind: ConnectionErrorKind, message: string, code?: FailureCode];

const unreachable: Meaning = [
  'unsent',
  'The upstream refused the connection or is not reachable. Check that it runs, and its base URL at the gateway.',
];
const unresolved: Meaning = [
  'unsent',
  "The upstream's host name could not be resolved. Check its base URL at the gateway.",
];
const headersTooLarge: Meaning = [null, 'The upstream answered with more headers than can be read.'];

const meanings: Readonly<Record<string, Meaning>> = {
  ENOTFOUND: unresolved,
  EAI_AGAIN: unresolved,
  ECONNREFUSED: unreachable,
  EHOSTUNREACH: unreachable,
  ENETUNREACH: unreachable,
  UND_ERR_HEADERS_OVERFLOW: headersTooLarge,
  HPE_HEADER_OVERFLOW: headersTooLarge,
  INVALID_RESPONSE_HEAD: [null, 'The upstream answered with a status or a header that HTTP does not allow.'],
  UND_ERR_INVALID_ARG: [
    null,
    'The request cannot be sent on: a header or its path holds characters that HTTP does not allow.',
    'invalid_request',
  ],
};

const noAnswer: Meaning = ['unanswered', 'The upstream closed the connection without a whole answer.'];
/** For runtimes whose `fetch` does not say why it failed. */
const noAnswerOrUnreachable: Meaning = [
  'unanswered',
  'The upstream could not be reached, or closed the connection without an answer. Check its base URL at the gateway.',
];
const certificate: Meaning = [
  null,
  "The upstream's TLS certificate is not accepted. Check its base URL, or add its CA with NODE_EXTRA_CA_CERTS.",
];
const noTls: Meaning = [
  null,
  'The TLS handshake with the upstream failed. Check whether its base URL should begin with http:// or https://.',
];
const noHttp: Meaning = [null, 'The upstream answered with something that is not HTTP.'];

/**
 * Reads the error of an HTTP client by its code, or by the code of its cause. No message holds the
 * upstream's address.
 */
export function readConnectionError(error: unknown, connectSeconds: number): ConnectionError {
  const [kind, message, code = 'upstream_error'] = meaningOf(codeOf(error), connectSeconds);
  return { kind, failure: new Failure(code, message, { cause: error }) };
}

function meaningOf(code: string | null, connectSeconds: number): Meaning {
  if (code === null) return noAnswerOrUnreachable;
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT')
    return [
      'unconnected',
      `No connection to the upstream within ${connectSeconds} seconds (CONNECT_TIMEOUT). Check its address.`,
      'upstream_timeout',
    ];
  if (Object.hasOwn(meanings, code)) return meanings[code] as Meaning;
  if (code.includes('CERT') || code === 'UNABLE_TO_VERIFY_LEAF_SIGNATURE') return certificate;
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) return noTls;
  if (code.startsWith('HPE_')) return noHttp;
  return noAnswer;
}

/** The code of an error or of its causes; null if there is none, as with the `fetch` of Workers. */
function codeOf(error: unknown): string | null {
  let current = error;
  for (let depth = 0; depth < maxCauses && current instanceof Error; depth++) {
    const { code, name } = current as { code?: unknown; name: string };
    if (typeof code === 'string') return code;
    // undici's parser errors do not always have a code.
    if (name === 'HTTPParserError') return 'HPE_UNKNOWN';
    current = current.cause;
  }
  return null;
}
