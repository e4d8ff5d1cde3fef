import type { Call } from '../call.ts';
import { Failure } from '../http/failure.ts';

/** Longest boundary that is accepted. The standard allows 70 characters (RFC 2046 §5.1.1). */
const maxBoundary = 100;

/** Reads a multipart form. Throws a 415 for another kind of body, a 413 beyond the limit, a 400 for a broken one. */
export async function readForm(call: Call, maxBodyBytes: number): Promise<FormData> {
  const type = call.incoming.head.get('content-type') ?? '';
  const boundary = /^multipart\/form-data\s*;.*boundary=("?)([^";]+)\1/i.exec(type)?.[2];
  if (boundary === undefined || boundary.length > maxBoundary)
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
