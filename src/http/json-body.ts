import { Failure } from './failure.ts';

/** A JSON body as it came, and what it says. Where nothing is changed the bytes go on as they are. */
export type JsonBody = { readonly bytes: Uint8Array; readonly value: Readonly<Record<string, unknown>> };

const decoder = new TextDecoder('utf-8', { fatal: true });
const encoder = new TextEncoder();

/** Understands a request body. Throws a 400 that says what is wrong with it. */
export function parseJsonBody(bytes: Uint8Array): JsonBody {
  if (bytes.length === 0)
    throw new Failure('invalid_request', 'The request has no body. Send a JSON object.');
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

/** The model a body asks for. Throws a 400 where it names none. */
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

/** The body with fields put before those it has. Its own bytes stay as they are, so that no number loses a digit. */
export function withFields(body: JsonBody, fields: Record<string, unknown>): JsonBody {
  const added = JSON.stringify(fields).slice(1, -1);
  if (added === '') return body;
  const open = body.bytes.indexOf(0x7b);
  const separator = Object.keys(body.value).length > 0 ? ',' : '';
  return spliced(body, { ...fields, ...body.value }, open + 1, open + 1, added + separator);
}

/** The body with another model. Only the bytes of that one value change. */
export function withModel(body: JsonBody, model: string): JsonBody {
  const span = topLevelValue(body.bytes, 'model');
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

const quote = 0x22;
const backslash = 0x5c;

/** Where a string value of the outermost object stands: the last one of that name, as `JSON.parse` takes it. */
function topLevelValue(bytes: Uint8Array, name: string): { start: number; end: number } | null {
  let found: { start: number; end: number } | null = null;
  let depth = 0;
  let key: string | null = null;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte === quote) {
      const end = endOfString(bytes, i);
      if (depth === 1) {
        if (key === null) key = JSON.parse(decoder.decode(bytes.subarray(i, end))) as string;
        else if (key === name) found = { start: i, end };
      }
      i = end - 1;
    } else if (byte === 0x7b || byte === 0x5b) depth++;
    else if (byte === 0x7d || byte === 0x5d) depth--;
    else if (byte === 0x2c && depth === 1) key = null;
  }
  return found;
}

function endOfString(bytes: Uint8Array, start: number): number {
  for (let i = start + 1; i < bytes.length; i++) {
    if (bytes[i] === backslash) i++;
    else if (bytes[i] === quote) return i + 1;
  }
  return bytes.length;
}

/** The 413 of a body that had to be read and is larger than the settings allow. */
export function bodyTooLarge(limit: number): Failure {
  return new Failure(
    'body_too_large',
    `The request body is larger than ${limit} bytes, the most that is read here. MAX_BODY_BYTES at the gateway sets the limit.`,
  );
}
