import { Failure } from './failure.ts';

/**
 * A request target in its parts, not decoded: the gateway sends on the same bytes that it routes
 * by.
 */
export type Target = { readonly path: string; readonly search: string };

/** Characters and escapes that some URL parser reads as another path, or as the end of it. */
const ambiguous = /[^!-~]|[\\#]|%(?:0[0-9a-f]|1[0-9a-f]|5c|7f)/i;
/** A dot segment. Its dots and the characters around them may be percent-encoded. */
const dotSegment = /(?:\/|%2f)(?:\.|%2e){1,2}(?=\/|;|%2f|%3b|%3f|%23|$)/i;
/** Bytes that no UTF-8 text has. Some decoders read `%c0%ae` as a dot (an overlong encoding). */
const overlong = /%c[01]/i;
/** How often a program on the way may decode a path before we call it ambiguous. */
const maxDecodings = 3;

/**
 * Takes a request target apart: `/path?query`, or the absolute form that a proxy client sends (RFC
 * 9112 §3.2.2), of which only path and query count. Throws a 400 for a target that two programs
 * could read differently.
 */
export function parseTarget(target: string): Target {
  const local = target.charCodeAt(0) === 47 ? target : withoutOrigin(target);
  const mark = local.indexOf('?');
  const path = mark < 0 ? local : local.slice(0, mark);
  const search = mark < 0 ? '' : local.slice(mark);
  if (isAmbiguous(path) || /[^!-~]|#/.test(search)) {
    throw new Failure(
      'invalid_request',
      'The request path is ambiguous: it holds a dot segment, a backslash, a control character or an unescaped character. Send it in plain form.',
    );
  }
  return { path, search };
}

/**
 * Whether a path, or what an upstream makes of it by decoding it again and again, can be read in
 * two ways.
 */
function isAmbiguous(path: string): boolean {
  let decoded = path;
  for (let i = 0; i <= maxDecodings; i++) {
    if (ambiguous.test(decoded) || dotSegment.test(decoded) || overlong.test(decoded)) return true;
    if (!decoded.includes('%25')) return false;
    decoded = decoded.replaceAll('%25', '%');
  }
  return true;
}

function withoutOrigin(target: string): string {
  const scheme = /^https?:\/\//i.exec(target)?.[0];
  if (scheme === undefined)
    throw new Failure('invalid_request', 'The request target must be a path that begins with a slash.');
  const length = target.slice(scheme.length).search(/[/?#]/);
  const rest = length < 0 ? '' : target.slice(scheme.length + length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** The first path segments of the OpenAI API: by them a base URL without `/v1` is recognized. */
const apiSegments = new Set([
  'assistants',
  'audio',
  'batches',
  'chat',
  'chatkit',
  'completions',
  'containers',
  'content_provenance_checks',
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
  'projects',
  'realtime',
  'rerank',
  'responses',
  'skills',
  'threads',
  'uploads',
  'vector_stores',
  'videos',
]);

/** What a path means. `api` paths are canonical: they begin with `/v1/` or `/dashboard/`. */
export type Place = { readonly kind: 'api' | 'local' | 'none'; readonly path: string };

/**
 * Reads a path as the base URL of a client made it: with or without `/v1`, with `/openai`, with
 * doubled slashes, under the API prefix. `prefix` has no slashes at its ends; it is empty for none.
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

/**
 * `GET /images/{name}` and `GET /files/{name}` are stored pictures and files, not part of the API.
 * No stored file has a name that begins with `file-`: `GET /files/file-…` is the API's.
 */
export function isStored(path: string): boolean {
  return /^\/(images|files)\/[^/]+$/.test(path) && !path.startsWith('/files/file-');
}

/** A decoded path segment; null if it is not percent-encoded UTF-8. */
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
