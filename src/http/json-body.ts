import { Failure } from './failure.ts';
import { exceededLimit, jsonLimits, topLevelString } from './json-shape.ts';

/**
 * A JSON body: its bytes as they came, and its value. An unchanged body is sent on by its bytes.
 */
export type JsonBody = { readonly bytes: Uint8Array; readonly value: Readonly<Record<string, unknown>> };

const decoder = new TextDecoder('utf-8', { fatal: true });
const encoder = new TextEncoder();

/**
 * Parses a request body. Throws a 400 that says what is wrong with it. A body that is nested too
 * deep or has too many values is refused before it is parsed: it would hold the event loop for
 * seconds.
 */
export function parseJsonBody(bytes: Uint8Array): JsonBody {
  if (bytes.length === 0)
    throw new Failure('invalid_request', 'The request has no body. Send a JSON object.');
  const exceeded = exceededLimit(bytes);
  if (exceeded !== null) throw new Failure('invalid_request', tooLarge[exceeded]);
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(bytes));
  } catch (error) {
    const reason = error instanceof SyntaxError ? 'it is not valid JSON' : 'it is not UTF-8';
    throw new Failure(
      'invalid_request',
      `The request body could not be read: ${reason}. Send a JSON object.`,
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Failure('invalid_request', 'The request body must be a JSON object.');
  }
  return { bytes, value: value as Record<string, unknown> };
}

const tooLarge = {
  depth: `The request body is nested deeper than ${jsonLimits.depth} levels. Send a flatter one.`,
  names: `The request body has more than ${jsonLimits.names} names. Send fewer.`,
  values: `The request body has more than ${jsonLimits.values} values. Send fewer.`,
};

/** The model that a body names. Throws a 400 if it names none. */
export function modelOf(body: JsonBody): string {
  const model = body.value.model;
  if (typeof model === 'string' && model !== '') return model;
  throw new Failure(
    'invalid_request',
    model === undefined
      ? 'You must name a model: "model" is missing.'
      : '"model" must be a string that is not empty.',
    { param: 'model' },
  );
}

/**
 * The body with fields added in front. Its own bytes stay as they are, so that no number loses a
 * digit.
 */
export function withFields(body: JsonBody, fields: Record<string, unknown>): JsonBody {
  const added = JSON.stringify(fields).slice(1, -1);
  if (added === '') return body;
  const open = body.bytes.indexOf(0x7b);
  const separator = Object.keys(body.value).length > 0 ? ',' : '';
  return spliced(body, { ...fields, ...body.value }, open + 1, open + 1, added + separator);
}

/** The body with another model. Only the bytes of that one value change. */
export function withModel(body: JsonBody, model: string): JsonBody {
  const span = topLevelString(body.bytes, 'model');
  if (!span) return withFields(body, { model });
  return spliced(body, { ...body.value, model }, span.start, span.end, JSON.stringify(model));
}

function spliced(
  body: JsonBody,
  value: Record<string, unknown>,
  start: number,
  end: number,
  text: string,
): JsonBody {
  const middle = encoder.encode(text);
  const bytes = new Uint8Array(start + middle.length + (body.bytes.length - end));
  bytes.set(body.bytes.subarray(0, start));
  bytes.set(middle, start);
  bytes.set(body.bytes.subarray(end), start + middle.length);
  return { bytes, value };
}

/** The 413 of a body that had to be read and is larger than the settings allow. */
export function bodyTooLarge(limit: number): Failure {
  return new Failure(
    'body_too_large',
    `The request body is larger than ${limit} bytes, the most that is read here. MAX_BODY_BYTES at the gateway sets the limit.`,
  );
}
