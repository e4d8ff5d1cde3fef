import type { Incoming } from './request.ts';

const hostPattern = /^(?:[a-z0-9_.-]+|\[[0-9a-f:]+\])(?::\d{1,5})?$/i;

/**
 * The beginning of links to this gateway, without a slash at the end: PUBLIC_URL, else the address
 * that the request used. `X-Forwarded-Host` and `X-Forwarded-Proto` are believed from everyone,
 * since the link goes back to the same caller only.
 */
export function linkStem({ head, scheme }: Incoming, publicUrl: string | undefined): string {
  if (publicUrl !== undefined) return withoutTrailingSlashes(publicUrl);
  const first = (name: string) => head.get(name)?.split(',', 1)[0]?.trim();
  const proto = first('x-forwarded-proto');
  const host = [first('x-forwarded-host'), head.get('host')].find((name) => name && hostPattern.test(name));
  return `${proto === 'https' || proto === 'http' ? proto : scheme}://${host ?? 'localhost'}`;
}

/** A URL or path without the slashes at its end. */
export function withoutTrailingSlashes(text: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === '/') end--;
  return text.slice(0, end);
}
