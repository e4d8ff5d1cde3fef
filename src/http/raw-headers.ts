import type { RawHeaders } from './headers.ts';

/** Makes `Headers` of raw headers. Repeated names are joined as `Headers` joins them. */
export function toHeaders(pairs: RawHeaders): Headers {
  const headers = new Headers();
  for (let i = 0; i < pairs.length; i += 2) headers.append(pairs[i] as string, pairs[i + 1] as string);
  return headers;
}

/** Makes raw headers of `Headers`. */
export function toPairs(headers: Headers): RawHeaders {
  const pairs: string[] = [];
  for (const [name, value] of headers) pairs.push(name, value);
  return pairs;
}
