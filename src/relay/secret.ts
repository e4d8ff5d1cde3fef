const decoder = new TextDecoder();
const encoder = new TextEncoder();
const hidden = '[key removed]';

/** A body in which the key does not occur any more. The same bytes if it did not occur. */
export function withoutSecret(bytes: Uint8Array, secret: string): Uint8Array {
  const text = decoder.decode(bytes);
  return text.includes(secret) ? encoder.encode(text.replaceAll(secret, hidden)) : bytes;
}

/**
 * The words of an upstream's error body, at most 300 characters; empty if it is not JSON with a
 * message.
 */
export function errorText(body: Uint8Array): string {
  try {
    const value = JSON.parse(decoder.decode(body)) as {
      error?: { message?: unknown } | string;
      message?: unknown;
    };
    const error = typeof value?.error === 'object' ? value.error?.message : value?.error;
    const text = error ?? value?.message;
    return typeof text === 'string' ? text.slice(0, 300) : '';
  } catch {
    return '';
  }
}
