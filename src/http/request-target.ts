import { Failure } from './failure.ts';

/** A request target, taken apart but not decoded: what is routed is what is sent on. */
export type Target = { readonly path: string; readonly search: string };

/** Anything that a URL parser on the way could read as another path than we did. */
const ambiguous = /[^!-~]|[\\#]|%(?:00|0a|0d|5c)/i;
const dotSegment = /\/(?:\.|%2e){1,2}(?=\/|;|$)/i;

/**
 * Takes a request target apart: `/path?query`, or the absolute form that a proxy client sends (RFC 9112 §3.2.2), of which only path and query
 * count. Throws a 400 for a target that two programs could read differently.
 */
export function parseTarget(target: string): Target {
  const local = target.charCodeAt(0) === 47 ? target : withoutOrigin(target);
  const mark = local.indexOf('?');
  const path = mark < 0 ? local : local.slice(0, mark);
  const search = mark < 0 ? '' : local.slice(mark);
  if (ambiguous.test(path) || dotSegment.test(path) || /[^!-~]|#/.test(search)) {
    throw new Failure(
      'invalid_request',
      'The request path is ambiguous: it holds a dot segment, a backslash, a control character or an unescaped character. Send it in plain form.',
    );
  }
  return { path, search };
}

function withoutOrigin(target: string): string {
  const match = /^https?:\/\/[^/?#]*(.*)$/i.exec(target);
  if (!match)
    throw new Failure('invalid_request', 'The request target must be a path that begins with a slash.');
  const rest = match[1] as string;
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** The first path segments of the OpenAI API, by which a base URL without `/v1` is known. */
const apiSegments = new Set([
  'assistants',
  'audio',
  'batches',
  'chat',
  'completions',
  'containers',
  'conversations',
  'embeddings',
  'engines',
  'evals',
  'files',
  'fine-tunes',
  'fine_tuning',
  'images',
  'messages',
  'models',
  'moderations',
  'organization',
  'realtime',
  'rerank',
  'responses',
  'skills',
  'threads',
  'uploads',
  'vector_stores',
  'videos',
]);

/** What a path means to us. `api` paths are canonical: they begin with `/v1/` or `/dashboard/`. */
export type Place = { readonly kind: 'api' | 'local' | 'none'; readonly path: string };

/**
 * Reads a path as a client's base URL made it: with or without `/v1`, with `/openai`, with doubled slashes, under the
 * owner's prefix. `prefix` is without slashes; empty for none.
 */
export function placeOf(rawPath: string, method: string, prefix: string): Place {
  let path = rawPath.includes('//') ? rawPath.replace(/\/{2,}/g, '/') : rawPath;
  if (prefix !== '') {
    if (path === `/${prefix}` || path === `/${prefix}/`) return { kind: 'local', path: '/' };
    if (!path.startsWith(`/${prefix}/`)) {
      const open = method === 'GET' || method === 'HEAD';
      return open && (isStored(path) || !looksLikeApi(path))
        ? { kind: 'local', path }
        : { kind: 'none', path };
    }
    path = path.slice(prefix.length + 1);
  }
  if (path.startsWith('/openai/')) path = path.slice('/openai'.length);
  while (path.startsWith('/v1/v1/')) path = path.slice('/v1'.length);
  if (path.startsWith('/v1/') || path.startsWith('/dashboard/')) return { kind: 'api', path };
  const isRead = method === 'GET' || method === 'HEAD';
  if ((isRead && isStored(path)) || !apiSegments.has(firstSegment(path))) return { kind: 'local', path };
  return { kind: 'api', path: `/v1${path}` };
}

function looksLikeApi(path: string): boolean {
  return /^\/(openai\/|v1\/|dashboard\/)/.test(path) || apiSegments.has(firstSegment(path));
}

/** `GET /images/{name}` and `GET /files/{name}` are our own stored pictures and files, not the API's. */
export function isStored(path: string): boolean {
  return /^\/(images|files)\/[^/]+$/.test(path);
}

/** A path segment as it is meant; null where it is not percent-encoded UTF-8. */
export function decodedSegment(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}

function firstSegment(path: string): string {
  const end = path.indexOf('/', 1);
  return end < 0 ? path.slice(1) : path.slice(1, end);
}
