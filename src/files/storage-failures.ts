import { Failure } from '../http/failure.ts';

/** When a caller may try again, if the storage fails. */
const retryAfter = { 'retry-after': '5' };

export function bodyTooLarge(limit: number): Failure {
  return new Failure(
    'body_too_large',
    `The file is larger than ${limit} bytes, the largest that the gateway stores.`,
  );
}

/** An error while storing, as the caller reads it. An error of the body itself stays as it is. */
export function writeFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const { code } = (error ?? {}) as { code?: unknown };
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new Failure('insufficient_storage', "the gateway's storage is full", { cause: error });
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new Failure('unavailable', 'the gateway may not write to its DATA_DIR', { cause: error });
    default:
      return new Failure('unavailable', 'it could not be stored', { cause: error, headers: retryAfter });
  }
}

/** An error while reading or deleting: a 503 that does not repeat the error. */
export function readFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  return new Failure('unavailable', 'The storage of the gateway does not answer. Try again shortly.', {
    cause: error,
    headers: retryAfter,
  });
}
