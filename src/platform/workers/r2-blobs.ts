import { contentDisposition } from '../../files/file-name.ts';
import { isPicture } from '../../files/file-type.ts';
import type { Blobs, StoredBlob } from '../../ports/blobs.ts';
import { checkKey } from '../../ports/blobs.ts';

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
  list(options: { prefix: string; cursor?: string }): Promise<{
    readonly objects: readonly R2Object[];
    readonly truncated: boolean;
    readonly cursor?: string;
  }>;
}

/** R2 takes a stream only where its length is known: a body is sent in parts of this size, one in memory at a time. */
const partBytes = 8 * 1024 * 1024;

/** Blobs in an R2 bucket. */
export function createR2Blobs(bucket: R2Bucket): Blobs {
  return {
    async put(key, body, { type, fileName }) {
      checkKey(key);
      const metadata: Metadata = {
        httpMetadata: {
          contentType: type,
          // Where R2 itself serves the bucket, nothing of it may run as a page either.
          ...(isPicture(type)
            ? {}
            : {
                contentDisposition:
                  fileName === null ? 'attachment' : contentDisposition('attachment', fileName),
              }),
        },
        customMetadata: fileName === null ? {} : { fileName: encodeURIComponent(fileName) },
      };
      const parts = inParts(body);
      const first = await parts.next();
      if (first.done) return void (await bucket.put(key, new Uint8Array(), metadata));
      const second = first.value.length < partBytes ? { done: true as const } : await parts.next();
      if (second.done) return void (await bucket.put(key, first.value, metadata));
      const upload = await bucket.createMultipartUpload(key, metadata);
      try {
        const sent = [await upload.uploadPart(1, first.value), await upload.uploadPart(2, second.value)];
        for await (const part of parts) sent.push(await upload.uploadPart(sent.length + 1, part));
        await upload.complete(sent);
      } catch (error) {
        await upload.abort().catch(() => {});
        throw error;
      }
    },
    async head(key) {
      checkKey(key);
      const found = await bucket.head(key);
      return found && stored(found);
    },
    async get(key, range) {
      checkKey(key);
      const found = await bucket.get(key, range ? { range } : {});
      return found && { ...stored(found), body: found.body };
    },
    async delete(keys) {
      for (let at = 0; at < keys.length; at += 1000) await bucket.delete(keys.slice(at, at + 1000));
    },
    async *list(prefix) {
      let cursor: string | undefined;
      do {
        const page = await bucket.list({ prefix, ...(cursor === undefined ? {} : { cursor }) });
        for (const { key, size, uploaded } of page.objects) yield { key, size, storedAt: uploaded.getTime() };
        cursor = page.truncated ? page.cursor : undefined;
      } while (cursor !== undefined);
    },
  };
}

/** The same bytes in parts of one size, all but the last. */
async function* inParts(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let part = new Uint8Array(partBytes);
  let filled = 0;
  for await (const chunk of body) {
    for (let at = 0; at < chunk.length; ) {
      const taken = Math.min(chunk.length - at, partBytes - filled);
      part.set(chunk.subarray(at, at + taken), filled);
      filled += taken;
      at += taken;
      if (filled < partBytes) continue;
      yield part;
      part = new Uint8Array(partBytes);
      filled = 0;
    }
  }
  if (filled > 0) yield part.subarray(0, filled);
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
