import type { RawHeaders } from './headers.ts';

/** Headers from pairs, repeated names kept apart as far as `Headers` can. */
export function toHeaders(pairs: RawHeaders): Headers {
  const headers = new Headers();
  for (let i = 0; i < pairs.length; i += 2) headers.append(pairs[i] as string, pairs[i + 1] as string);
  return headers;
}

/** Pairs from headers. */
export function toPairs(headers: Headers): RawHeaders {
  const pairs: string[] = [];
  for (const [name, value] of headers) pairs.push(name, value);
  return pairs;
}
