import type { Call } from '../call.ts';
import { contentDisposition, safeFileName } from '../files/file-name.ts';
import { type FileStore, idIn } from '../files/file-store.ts';
import { isPicture } from '../files/file-type.ts';
import { oldPictureId } from '../files/old-picture.ts';
import { Failure } from '../http/failure.ts';
import { decodedSegment } from '../http/request-target.ts';
import type { ByteRange, StoredBlob } from '../ports/blobs.ts';

/**
 * `GET /images/{name}` and `GET /files/{name}`: stored files. A link is enough to read one, from
 * any page. The bytes under a link never change. No file runs as a page here.
 */
export function createStored(fileStore: FileStore | null): (call: Call) => Promise<Response> {
  return async (call) => {
    const name = decodedSegment(call.path.split('/').at(-1) ?? '');
    const id = name === null ? null : (idIn(name) ?? oldPictureId(name));
    if (!fileStore || id === null || name === null) throw missing();
    const etag = `"${id}"`;
    const { head } = call.incoming;
    const isHead = head.method === 'HEAD';
    const rangeHeader = head.get('range');
    const ifRange = head.get('if-range');
    const mayRange = rangeHeader !== undefined && (ifRange === undefined || ifRange === etag);
    const isKnown = matchesEtag(head.get('if-none-match'), etag);
    if (isHead || isKnown || mayRange) {
      const stored = await fileStore.head(id);
      if (!stored) throw missing();
      const headers = headersOf(stored, id, name);
      if (isKnown) return new Response(null, { status: 304, headers: withoutLength(headers) });
      const range = mayRange ? rangeIn(rangeHeader, stored.size) : 'all';
      if (range === 'none')
        return new Response(null, {
          status: 416,
          headers: { ...withoutLength(headers), 'content-range': `bytes */${stored.size}` },
        });
      if (range !== 'all') return part(fileStore, id, stored, headers, range, isHead);
      if (isHead) return new Response(null, { headers });
    }
    const stored = await fileStore.get(id);
    if (!stored) throw missing();
    return new Response(stored.body, { headers: headersOf(stored, id, name) });
  };
}

async function part(
  fileStore: FileStore,
  id: string,
  { size }: StoredBlob,
  headers: Record<string, string>,
  range: ByteRange,
  isHead: boolean,
): Promise<Response> {
  const stored = isHead ? null : await fileStore.get(id, range);
  if (!isHead && !stored) throw missing();
  return new Response(stored?.body ?? null, {
    status: 206,
    headers: {
      ...headers,
      'content-length': String(range.length),
      'content-range': `bytes ${range.offset}-${range.offset + range.length - 1}/${size}`,
    },
  });
}

/** Whether a browser shows this type by itself and it cannot hold a program. */
function mayShow(type: string): boolean {
  return isPicture(type) || /^(audio|video)\/[\w.+-]+$/.test(type);
}

function headersOf({ type, size, fileName }: StoredBlob, id: string, name: string): Record<string, string> {
  const readable = safeFileName(name.slice(id.length + 1), '') || fileName || 'file';
  const fileLabel = name[id.length] === '-' ? readable : (fileName ?? name);
  return {
    'content-type': /^text\//.test(type) ? `${type}; charset=utf-8` : type,
    'content-length': String(size),
    'content-disposition': contentDisposition(mayShow(type) ? 'inline' : 'attachment', fileLabel),
    'accept-ranges': 'bytes',
    etag: `"${id}"`,
    'cache-control': 'public, max-age=31536000, immutable',
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; sandbox",
    'cross-origin-resource-policy': 'cross-origin',
  };
}

function withoutLength({ 'content-length': _, ...headers }: Record<string, string>): Record<string, string> {
  return headers;
}

/**
 * `bytes=a-b`, `bytes=a-` or `bytes=-n` within a size. Others get the whole file (RFC 9110 §14.2).
 */
function rangeIn(header: string, size: number): ByteRange | 'all' | 'none' {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/i.exec(header.trim());
  if (!match || (match[1] === '' && match[2] === '')) return 'all';
  if (match[1] === '') {
    const length = Math.min(Number(match[2]), size);
    return length === 0 ? 'none' : { offset: size - length, length };
  }
  const offset = Number(match[1]);
  const last = match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1);
  if (match[2] !== '' && Number(match[2]) < offset) return 'all';
  return offset >= size ? 'none' : { offset, length: last - offset + 1 };
}

function matchesEtag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.trim() === '*' || header.split(',').some((each) => each.trim().replace(/^W\//, '') === etag);
}

function missing(): Failure {
  return new Failure(
    'not_found',
    'There is no such picture or file: the link is wrong, or the file was deleted.',
  );
}
