import type { BlobFacts, Blobs, StoredBlob } from '../../../ports/blobs.ts';
import { checkKey } from '../../../ports/blobs.ts';
import { inParts } from '../../memory/body-parts.ts';
import { createS3Requests, S3Error, type S3Limits, type S3Requests, type S3Settings } from './s3-client.ts';

/** The smallest part that S3 accepts, except for the last. One part is in memory at a time. */
const partBytes = 5 * 1024 * 1024;

/** S3 has a call that deletes several, but stores differ in how they check it. */
const deletedAtOnce = 8;

/** Blobs in any S3-compatible store. */
export function createS3Blobs(settings: S3Settings, limits?: S3Limits): Blobs {
  const s3 = createS3Requests(settings, limits);
  return {
    async put(key, body, facts) {
      checkKey(key);
      const parts = inParts(body, partBytes);
      const first = await parts.next();
      if (first.done || first.value.length < partBytes) {
        await parts.return(undefined);
        return void (await s3.sendForText({
          method: 'PUT',
          key,
          headers: headersOf(facts),
          body: first.done ? new Uint8Array() : first.value,
        }));
      }
      await putInParts(s3, key, facts, first.value, parts);
    },
    async head(key) {
      checkKey(key);
      const response = await unlessMissing(s3.send({ method: 'HEAD', key }));
      return response && stored(response.headers, Number(response.headers.get('content-length')));
    },
    async get(key, range) {
      checkKey(key);
      if (range && range.length === 0) return null;
      const headers = range ? { range: `bytes=${range.offset}-${range.offset + range.length - 1}` } : {};
      const response = await unlessMissing(s3.send({ method: 'GET', key, headers }));
      if (!response) return null;
      const whole = response.headers.get('content-range')?.split('/')[1];
      const size = Number(whole ?? response.headers.get('content-length'));
      return { ...stored(response.headers, size), body: response.body ?? new Blob([]).stream() };
    },
    async delete(keys) {
      for (let at = 0; at < keys.length; at += deletedAtOnce)
        await Promise.all(
          keys
            .slice(at, at + deletedAtOnce)
            .map((key) => unlessMissing(s3.sendForText({ method: 'DELETE', key }))),
        );
    },
    async *list(prefix) {
      for await (const { key, size, lastModified } of s3.list(prefix))
        yield { key, size, storedAt: lastModified.getTime() };
    },
  };
}

/** Uploads a body in parts, one at a time. If one fails, those that were stored are deleted. */
async function putInParts(
  s3: S3Requests,
  key: string,
  facts: BlobFacts,
  first: Uint8Array,
  rest: AsyncIterable<Uint8Array>,
): Promise<void> {
  const begun = await s3.sendForText({
    method: 'POST',
    key,
    query: { uploads: '' },
    headers: headersOf(facts),
  });
  const uploadId = unescaped(/<UploadId>([^<]+)<\/UploadId>/.exec(begun)?.[1]);
  if (uploadId === undefined) throw new Error('the S3 store began no upload');
  const etags: string[] = [];
  const put = async (body: Uint8Array): Promise<void> => {
    const query = { partNumber: String(etags.length + 1), uploadId };
    const response = await s3.send({ method: 'PUT', key, query, body });
    await response.body?.cancel();
    etags.push(response.headers.get('etag') ?? '');
  };
  try {
    await put(first);
    for await (const part of rest) await put(part);
    const list = etags.map((etag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${etag}</ETag></Part>`);
    const xml = `<CompleteMultipartUpload>${list.join('')}</CompleteMultipartUpload>`;
    const completed = await s3.sendForText({
      method: 'POST',
      key,
      query: { uploadId },
      body: new TextEncoder().encode(xml),
    });
    // A completion that fails late has the status 200, since its head was sent before.
    if (completed.includes('<Error>')) throw new Error('the S3 store did not complete the upload');
  } catch (error) {
    await s3.sendForText({ method: 'DELETE', key, query: { uploadId } }).catch(() => {});
    throw error;
  }
}

/** Names travel percent-encoded, since headers hold ASCII. */
function headersOf({ type, fileName }: BlobFacts): Record<string, string> {
  return {
    'content-type': type,
    ...(fileName === null ? {} : { 'x-amz-meta-file-name': encodeURIComponent(fileName) }),
  };
}

function stored(headers: Headers, size: number): StoredBlob {
  const name = headers.get('x-amz-meta-file-name');
  return {
    type: headers.get('content-type') || 'application/octet-stream',
    fileName: name ? decodeURIComponent(name) : null,
    size,
    storedAt: new Date(headers.get('last-modified') ?? 0).getTime(),
  };
}

/** The text of an XML element, as far as an upload id needs it. */
function unescaped(text: string | undefined): string | undefined {
  return text?.replaceAll('&quot;', '"').replaceAll('&amp;', '&');
}

async function unlessMissing<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof S3Error && error.status === 404) return null;
    throw error;
  }
}
