import { Failure, type FailureCode, isFailureCode } from '../../http/failure.ts';

/** A response that is no conversation: its status, its type, and what was read of its body. */
export type Refusal = {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly retryAfter: string | null;
};

/**
 * What a refusal means to a client of the OpenAI API. The upstream's message is passed on if it is
 * text for people; a page is not. `ownKey`: whether the refused key is the caller's. A refused key
 * of the gateway's owner is no fault of the caller.
 */
export function failureOf(refusal: Refusal, ownKey: boolean): Failure {
  const { status, type, body } = refusal;
  const text = type.includes('html') || body.trimStart().startsWith('<') ? null : messageIn(body);
  if (status === 403 && text === null) {
    return new Failure(
      'upstream_error',
      'The upstream refused with a page instead of an answer, as it does if it suspects a robot. Open it in a browser, or try again later.',
    );
  }
  if ((status === 401 || status === 403) && !ownKey) {
    return new Failure(
      'upstream_error',
      `The upstream refused the key of this gateway (${status}). Its owner must renew it.`,
    );
  }
  const code = codeOf(status, text?.code ?? null);
  const message = text?.message ?? fallback[code] ?? `The upstream answered with status ${status}.`;
  const clearsIn = text?.clearsIn ?? null;
  const wait = clearsIn === null ? refusal.retryAfter : String(Math.ceil(clearsIn));
  return new Failure(code, message, wait === null ? {} : { headers: { 'retry-after': wait } });
}

/** An error inside a stream, or in place of one with status 200. */
export function streamFailure(message: string, code: string | null): Failure {
  return new Failure(isFailureCode(code) ? code : codeOf(502, code), message);
}

function codeOf(status: number, code: string | null): FailureCode {
  if (code === 'message_length_exceeds_limit' || code === 'conversation_too_large' || status === 413)
    return 'context_length_exceeded';
  if (code === 'model_not_found') return 'model_not_found';
  if (code === 'model_cap_exceeded') return 'rate_limit_exceeded';
  switch (status) {
    case 400:
    case 422:
      return 'invalid_request';
    case 401:
      return 'invalid_api_key';
    case 403:
      return 'forbidden';
    case 404:
      return 'not_found';
    case 409:
    case 410:
      return 'conflict';
    case 429:
      return 'rate_limit_exceeded';
    case 503:
      return 'unavailable';
    case 504:
    case 524:
      return 'upstream_timeout';
    default:
      return 'upstream_error';
  }
}

const fallback: Partial<Record<FailureCode, string>> = {
  invalid_api_key: 'The upstream refused the key. Check it, or renew it.',
  forbidden: 'The upstream does not allow this.',
  not_found: 'The upstream has nothing at this address. Check BASE_URL and PROXY_API_PREFIX.',
  rate_limit_exceeded: 'The upstream accepts no more requests for now. Try again later.',
  unavailable: 'The upstream is not available for now. Try again later.',
  upstream_error: 'The upstream failed to answer. Try again later.',
};

type ErrorText = { readonly message: string; readonly code: string | null; readonly clearsIn: number | null };

/**
 * The text for people in an error body: `detail` as text, object or list, or `error`. What the body
 * repeats of the request is left out.
 */
function messageIn(body: string): ErrorText | null {
  const value = parseObject(body);
  if (value === null) return null;
  const error = (value.detail ?? value.error ?? value) as unknown;
  if (typeof error === 'string') return { message: error, code: null, clearsIn: null };
  if (Array.isArray(error)) {
    const list = error.map((each: { loc?: unknown; msg?: unknown }) => {
      const where = Array.isArray(each?.loc) ? each.loc.filter((step) => step !== 'body').join('.') : '';
      return [where, typeof each?.msg === 'string' ? each.msg : 'is wrong'].filter(Boolean).join(': ');
    });
    return {
      message: `The upstream did not understand the request: ${list.join('; ')}`,
      code: null,
      clearsIn: null,
    };
  }
  if (typeof error !== 'object' || error === null) return null;
  const { message, description, code, clears_in: clearsIn } = error as Record<string, unknown>;
  const text = [message, description].find((each) => typeof each === 'string' && each !== '');
  if (typeof text !== 'string' && typeof code !== 'string') return null;
  return {
    message: typeof text === 'string' ? text : `The upstream refused: ${String(code)}.`,
    code: typeof code === 'string' ? code : null,
    clearsIn: typeof clearsIn === 'number' && clearsIn >= 0 ? clearsIn : null,
  };
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}
