/** A base URL, and how the paths of our own surface look below it. */
export type Base = { readonly origin: string; pathFor(path: string): string };

/**
 * Reads a base URL as owners write it: with or without `/v1`, with or without a slash at the end. One whose path names a version of its own
 * (`/api/paas/v4`, `/v1beta/openai`) is taken as it stands, as the SDKs do. `/dashboard/*` lives beside the API, not below its version.
 */
export function baseOf(url: string): Base {
  const { origin, pathname } = new URL(url);
  const given = pathname.replace(/\/+/g, '/').replace(/\/$/, '');
  const versioned = given.split('/').some((segment) => /^v\d/.test(segment)) ? given : `${given}/v1`;
  const beside = given.replace(/\/v1$/, '');
  return {
    origin,
    pathFor: (path) => (path.startsWith('/v1/') ? versioned + path.slice('/v1'.length) : beside + path),
  };
}
