import type { RequestHead } from '../src/http/request.ts';

/** A request head for a test. */
export function headOf(method: string, target: string, headers: Record<string, string>): RequestHead {
  return {
    method,
    target,
    rawHeaders: Object.entries(headers).flat(),
    get: (name) => headers[name],
  };
}
