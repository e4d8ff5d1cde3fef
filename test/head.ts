import type { Head } from '../src/head.ts';

/** A request head for a test. */
export function headOf(method: string, target: string, headers: Record<string, string>): Head {
  return {
    method,
    target,
    pairs: Object.entries(headers).flat(),
    get: (name) => headers[name],
  };
}
