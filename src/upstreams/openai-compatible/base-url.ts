/** A base URL, and where the paths of our own API are below it. */
export type Base = { readonly origin: string; pathFor(path: string): string };

/**
 * Reads a base URL as owners write it: with or without `/v1`, with or without a slash at the end. A
 * path with its own version (`/api/paas/v4`, `/v1beta/openai`) is used as it is, as the SDKs
 * do. A URL that ends with `#` is used as it is in any case: `https://host#` has
 * `/chat/completions` at its root. `/dashboard/*` is beside `/v1`.
 */
export function baseOf(url: string): Base {
  const { origin, pathname } = new URL(url);
  const path = pathname.replace(/\/+/g, '/').replace(/\/$/, '');
  const isExact = url.endsWith('#') || path.split('/').some((segment) => /^v\d/.test(segment));
  const api = isExact ? path : `${path}/v1`;
  const beside = path.replace(/\/v1$/, '');
  return {
    origin,
    pathFor: (target) => (target.startsWith('/v1/') ? api + target.slice('/v1'.length) : beside + target),
  };
}
