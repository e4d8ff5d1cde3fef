import type { Call } from '../call.ts';
import { Failure } from '../http/failure.ts';
import type { BuiltFiles } from '../ports/built-files.ts';

const common: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
};

/**
 * Content security policy of the pages: our own scripts, requests to this gateway, pictures from
 * anywhere.
 */
const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' http: https: data: blob:; connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/**
 * The same for the frame of the doctor that stands for a page of another origin. Its own origin is
 * opaque.
 */
const framePolicy =
  "sandbox allow-scripts; default-src 'none'; script-src 'self'; connect-src *; frame-ancestors 'self'";

/**
 * Serves a file of the built pages. Throws a 404 for another path, and a 503 if the pages were not
 * built.
 */
export function createBuiltPages(files: BuiltFiles | null) {
  return ({ path, method }: Call): Response => {
    if (files === null)
      throw new Failure('unavailable', 'The pages are not built here. Run npm run build beside the gateway.');
    const file = files[path];
    if (!file) throw new Failure('not_found', 'There is no such page.');
    const policy = path === '/other-origin' ? framePolicy : pagePolicy;
    return new Response(method === 'HEAD' ? null : file.body, {
      headers: {
        ...common,
        'content-type': file.type,
        ...(file.hashed
          ? { 'cache-control': 'public, max-age=31536000, immutable' }
          : { 'cache-control': 'no-cache', 'content-security-policy': policy }),
      },
    });
  };
}
