import { contentDisposition } from '../../files/file-name.ts';
import { isPicture } from '../../files/file-type.ts';
import type { BlobFacts, Blobs, ListedBlob, StoredBlob } from '../../ports/blobs.ts';
import { checkKey } from '../../ports/blobs.ts';
import { withTimeout } from '../../streams/with-timeout.ts';
import { inParts } from '../memory/body-parts.ts';

type R2Object = {
  readonly key: string;
  readonly size: number;
  readonly uploaded: Date;
  readonly httpMetadata?: { readonly contentType?: string };
  readonly customMetadata?: Readonly<Record<string, string>>;
};

type Metadata = {
  readonly httpMetadata: { readonly contentType: string; readonly contentDisposition?: string };
  readonly customMetadata: Readonly<Record<string, string>>;
};

/** As much of an R2 bucket as is used. */
export interface R2Bucket {
  head(key: string): Promise<R2Object | null>;
  get(
    key: string,
    options?: { range?: { offset: number; length: number } },
  ): Promise<(R2Object & { body: ReadableStream<Uint8Array> }) | null>;
  put(key: string, value: Uint8Array, metadata: Metadata): Promise<unknown>;
  createMultipartUpload(
    key: string,
    metadata: Metadata,
  ): Promise<{
    uploadPart(number: number, value: Uint8Array): Promise<unknown>;
    complete(parts: readonly unknown[]): Promise<unknown>;
    abort(): Promise<void>;
  }>;
  delete(keys: string[]): Promise<void>;
  list(options: {
    prefix: string;
    cursor?: string;
    include?: readonly ('httpMetadata' | 'customMetadata')[];
  }): Promise<{
    readonly objects: readonly R2Object[];
    readonly truncated: boolean;
    readonly cursor?: string;
  }>;
}

/** R2's smallest part. A stream would need a known length, so one part is in memory at a time. */
const partBytes = 5 * 1024 * 1024;

/** Keys that R2 deletes in one call. */
const deletedAtOnce = 1000;

/** Longest time of a call, in seconds; one that carries bytes may take longer. */
const defaultSeconds = 5;
const bytesPerSecond = 512 * 1024;

/** Blobs in an R2 bucket. Each call has a limit, since R2 itself has none. */
export function createR2Blobs(bucket: R2Bucket, seconds = defaultSeconds): Blobs {
  const limited = <T>(call: Promise<T>, bytes = 0): Promise<T> =>
    withTimeout(call, seconds + bytes / bytesPerSecond, tooSlow);

  const putInParts = async (
    key: string,
    metadata: Metadata,
    first: Uint8Array,
    rest: AsyncIterable<Uint8Array>,
  ): Promise<void> => {
    const upload = await limited(bucket.createMultipartUpload(key, metadata));
    try {
      const sent = [await limited(upload.uploadPart(1, first), first.length)];
      for await (const part of rest)
        sent.push(await limited(upload.uploadPart(sent.length + 1, part), part.length));
      await limited(upload.complete(sent));
    } catch (error) {
      await limited(upload.abort()).catch(() => {});
      throw error;
    }
  };

  return {
    async put(key, body, facts) {
      checkKey(key);
      const metadata = metadataOf(facts);
      const parts = inParts(body, partBytes);
      const first = await parts.next();
      const bytes = first.done ? new Uint8Array() : first.value;
      if (bytes.length === partBytes) return putInParts(key, metadata, bytes, parts);
      await parts.return(undefined);
      await limited(bucket.put(key, bytes, metadata), bytes.length);
    },
    async head(key) {
      checkKey(key);
      const object = await limited(bucket.head(key));
      return object && stored(object);
    },
    async get(key, range) {
      checkKey(key);
      const object = await limited(bucket.get(key, range ? { range } : {}));
      return object && { ...stored(object), body: object.body };
    },
    async delete(keys) {
      for (let at = 0; at < keys.length; at += deletedAtOnce)
        await limited(bucket.delete(keys.slice(at, at + deletedAtOnce)));
    },
    async *list(prefix) {
      // A list of the whole bucket needs no facts, and is shorter without them.
      const include = prefix === '' ? {} : { include: ['httpMetadata', 'customMetadata'] as const };
      let cursor: string | undefined;
      do {
        const more = cursor === undefined ? {} : { cursor };
        const page = await limited(bucket.list({ prefix, ...include, ...more }));
        for (const object of page.objects) yield listed(object, prefix !== '');
        cursor = page.truncated ? page.cursor : undefined;
      } while (cursor !== undefined);
    },
  };
}

function metadataOf({ type, fileName }: BlobFacts): Metadata {
  const disposition = fileName === null ? 'attachment' : contentDisposition('attachment', fileName);
  return {
    // If R2 itself serves the bucket, no stored page may run there either.
    httpMetadata: { contentType: type, ...(isPicture(type) ? {} : { contentDisposition: disposition }) },
    customMetadata: fileName === null ? {} : { fileName: encodeURIComponent(fileName) },
  };
}

function listed(object: R2Object, hasFacts: boolean): ListedBlob {
  const { type, fileName, size, storedAt } = stored(object);
  return { key: object.key, size, storedAt, ...(hasFacts ? { facts: { type, fileName } } : {}) };
}

function tooSlow(): Error {
  return new Error('R2 did not answer in time');
}

function stored({ size, uploaded, httpMetadata, customMetadata }: R2Object): StoredBlob {
  const name = customMetadata?.fileName;
  return {
    type: httpMetadata?.contentType ?? 'application/octet-stream',
    fileName: name ? decodeURIComponent(name) : null,
    size,
    storedAt: uploaded.getTime(),
  };
}
