/** An error in the shape of the OpenAI API. */
export function apiError(
  status: number,
  message: string,
  more: { code?: string; param?: string; headers?: Record<string, string> } = {},
): Response {
  const type = status === 429 ? 'rate_limit_error' : status >= 500 ? 'server_error' : 'invalid_request_error';
  return Response.json(
    { error: { message, type, param: more.param ?? null, code: more.code ?? null } },
    { status, headers: more.headers ?? {} },
  );
}

const sayings: Readonly<Record<number, readonly [code: string, message: string]>> = {
  400: ['invalid_request', 'The emulator was asked for a bad request.'],
  401: ['invalid_api_key', 'Incorrect API key provided.'],
  403: ['forbidden', 'You are not allowed to do this.'],
  404: ['model_not_found', 'The model does not exist or you do not have access to it.'],
  429: ['rate_limit_exceeded', 'Rate limit reached. Please try again in 1s.'],
  500: ['server_error', 'The server had an error while processing your request.'],
  503: ['overloaded', 'The engine is currently overloaded, please try again later.'],
};

/** The error that a header (`x-emulator-error: 429`) or a model (`error-429`) asks for, or null. */
export function demandedError(wanted: string | null): Response | null {
  const status = Number(/^(?:error-)?([45]\d\d)$/.exec(wanted ?? '')?.[1]);
  if (!status) return null;
  const [code, message] = sayings[status] ?? ['error', `The emulator was asked for a ${status}.`];
  return apiError(status, message, { code, headers: status === 429 ? { 'retry-after': '1' } : {} });
}

/** Reads a JSON object. Throws a 400 response if the body is none. */
export async function readObject(request: Request): Promise<Record<string, unknown>> {
  let value: unknown;
  try {
    value = await request.json();
  } catch {
    throw apiError(400, 'We could not parse the JSON body of your request.');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw apiError(400, 'The body of your request must be a JSON object.');
  }
  return value as Record<string, unknown>;
}

/** A required parameter. Throws a 400 response that names it. */
export function required<T>(
  body: Record<string, unknown>,
  name: string,
  isRight: (value: unknown) => value is T,
): T {
  const value = body[name];
  if (value === undefined)
    throw apiError(400, `Missing required parameter: '${name}'.`, {
      param: name,
      code: 'missing_required_parameter',
    });
  if (!isRight(value))
    throw apiError(400, `Invalid type for '${name}'.`, { param: name, code: 'invalid_type' });
  return value;
}

export const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
export const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);
