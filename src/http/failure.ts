/**
 * Every error code of the gateway, with the status and the `type` that OpenAI's API uses for it.
 */
const kinds = {
  invalid_request: [400, 'invalid_request_error'],
  invalid_api_key: [401, 'invalid_request_error'],
  access_key_required: [401, 'invalid_request_error'],
  invalid_access_key: [401, 'invalid_request_error'],
  forbidden: [403, 'invalid_request_error'],
  scope_not_allowed: [403, 'invalid_request_error'],
  not_found: [404, 'invalid_request_error'],
  model_not_found: [404, 'invalid_request_error'],
  method_not_allowed: [405, 'invalid_request_error'],
  conflict: [409, 'invalid_request_error'],
  request_timeout: [408, 'invalid_request_error'],
  body_too_large: [413, 'invalid_request_error'],
  unsupported_media_type: [415, 'invalid_request_error'],
  headers_too_large: [431, 'invalid_request_error'],
  context_length_exceeded: [400, 'invalid_request_error'],
  content_policy_violation: [400, 'invalid_request_error'],
  rate_limit_exceeded: [429, 'rate_limit_error'],
  internal_error: [500, 'server_error'],
  upstream_error: [502, 'upstream_error'],
  upstream_credentials: [502, 'upstream_error'],
  unavailable: [503, 'server_error'],
  upstream_timeout: [504, 'upstream_error'],
  insufficient_storage: [507, 'server_error'],
} as const;

export type FailureCode = keyof typeof kinds;

/** Whether a code is one of the gateway's. */
export function isFailureCode(code: string | null): code is FailureCode {
  return code !== null && Object.hasOwn(kinds, code);
}

/** The error object of the OpenAI API. */
export type ErrorBody = {
  error: { message: string; type: string; param: string | null; code: string | null };
};

/** Ends a request with an error for the caller. Its message says what to do next. */
export class Failure extends Error {
  readonly code: FailureCode;
  readonly param: string | null;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: FailureCode,
    message: string,
    more: { param?: string; headers?: Record<string, string>; cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'Failure';
    this.code = code;
    this.param = more.param ?? null;
    this.headers = more.headers ?? {};
  }

  get status(): number {
    return kinds[this.code][0];
  }
}

/** The 400 of a parameter that breaks a rule, as in: `"n"` must be a whole number. */
export function wrongParameter(name: string, rule: string): Failure {
  return new Failure('invalid_request', `"${name}" ${rule}.`, { param: name });
}

/** The response body of a failure. */
export function errorBody(failure: Failure): ErrorBody {
  return {
    error: {
      message: failure.message,
      type: kinds[failure.code][1],
      param: failure.param,
      code: failure.code,
    },
  };
}

/** Turns anything thrown into a failure. An unexpected error becomes a 500 without its text. */
export function toFailure(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  return new Failure('internal_error', 'The gateway failed to handle this request. Its log has the reason.', {
    cause: thrown,
  });
}

/** The line that ends a stream that broke after its first byte. No `[DONE]` follows it. */
export function errorEvent(failure: Failure): string {
  return `data: ${JSON.stringify(errorBody(failure))}\n\n`;
}
