/**
 * As much of the Workers runtime's own module as we use; the whole of its types would clash with
 * the DOM's.
 */
declare module 'cloudflare:workers' {
  export const env: Readonly<Record<string, unknown>>;
  export function waitUntil(work: Promise<unknown>): void;
}
