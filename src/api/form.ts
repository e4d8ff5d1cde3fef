import type { Call } from '../call.ts';
import { Failure } from '../http/failure.ts';

/** Longest boundary that is accepted. The standard allows 70 characters (RFC 2046 §5.1.1). */
const maxBoundary = 100;

/**
 * Reads a multipart form. Throws a 415 for another kind of body, a 413 beyond the limit, a 400 for
 * a broken one.
 */
export async function readForm(call: Call, maxBodyBytes: number): Promise<FormData> {
  const type = call.incoming.head.get('content-type') ?? '';
  const boundary = boundaryIn(type);
  if (boundary === null || boundary.length > maxBoundary)
    throw new Failure('unsupported_media_type', 'This path needs multipart/form-data, as curl -F sends it.');
  const bytes = await call.readBody(maxBodyBytes);
  try {
    return await new Response(bytes as BodyInit, { headers: { 'content-type': type } }).formData();
  } catch (error) {
    throw new Failure('invalid_request', 'The form in the body is broken. Send it as multipart/form-data.', {
      cause: error,
    });
  }
}

/** The boundary of a multipart form's type; null for another type, or without a boundary. */
export function boundaryIn(contentType: string): string | null {
  const [type = '', ...parameters] = contentType.split(';');
  if (type.trim().toLowerCase() !== 'multipart/form-data') return null;
  for (const parameter of parameters) {
    const equals = parameter.indexOf('=');
    if (equals < 0 || parameter.slice(0, equals).trim().toLowerCase() !== 'boundary') continue;
    const value = parameter.slice(equals + 1).trim();
    const isQuoted = value.length > 1 && value.startsWith('"') && value.endsWith('"');
    return (isQuoted ? value.slice(1, -1) : value) || null;
  }
  return null;
}
