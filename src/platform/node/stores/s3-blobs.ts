import { Readable } from 'node:stream';
import type { BlobFacts, Blobs, StoredBlob } from '../../../ports/blobs.ts';
import { checkKey } from '../../../ports/blobs.ts';

export type S3Settings = {
  /** Scheme and host of the server, with the bucket's name apart. */
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly pathStyle: boolean;
};

/** S3's smallest part: a body of unknown length is sent in such pieces, four of them at a time at most. */
const partSize = 5 * 1024 * 1024;

/** Blobs in any S3-compatible store. The client is loaded when it is first needed. */
export function createS3Blobs({ endpoint, ...settings }: S3Settings): Blobs {
  let client: Promise<import('@bradenmacdonald/s3-lite-client').S3Client> | undefined;
  const connected = () =>
    (client ??= import('@bradenmacdonald/s3-lite-client').then(
      ({ S3Client }) => new S3Client({ endPoint: endpoint, ...settings }),
    ));

  return {
    async put(key, body, facts) {
      checkKey(key);
      await (await connected()).putObject(
        key,
        Readable.toWeb(Readable.from(body)) as ReadableStream<Uint8Array>,
        {
          metadata: metadataOf(facts),
          partSize,
        },
      );
    },
    async head(key) {
      checkKey(key);
      const s3 = await connected();
      const found = await unlessMissing(s3.statObject(key));
      return found && stored(found.metadata, found.size, found.lastModified);
    },
    async get(key, range) {
      checkKey(key);
      const s3 = await connected();
      if (range && range.length === 0) return null;
      const answer = await unlessMissing(range ? s3.getPartialObject(key, range) : s3.getObject(key));
      if (!answer) return null;
      const { headers } = answer;
      const whole = Number(headers.get('content-range')?.split('/')[1] ?? headers.get('content-length'));
      const facts = {
        'Content-Type': headers.get('content-type') ?? '',
        'x-amz-meta-file-name': headers.get('x-amz-meta-file-name') ?? '',
      };
      return {
        ...stored(facts, whole, new Date(headers.get('last-modified') ?? 0)),
        body: answer.body ?? new Blob([]).stream(),
      };
    },
    async delete(keys) {
      const s3 = await connected();
      for (const key of keys) await unlessMissing(s3.deleteObject(key));
    },
    async *list(prefix) {
      const s3 = await connected();
      for await (const { key, size, lastModified } of s3.listObjects({ prefix }))
        yield { key, size, storedAt: lastModified.getTime() };
    },
  };
}

/** Names travel percent-encoded: headers hold no more than ASCII. */
function metadataOf({ type, fileName }: BlobFacts): Record<string, string> {
  return {
    'Content-Type': type,
    ...(fileName === null ? {} : { 'x-amz-meta-file-name': encodeURIComponent(fileName) }),
  };
}

function stored(metadata: Readonly<Record<string, string>>, size: number, modified: Date): StoredBlob {
  const name = metadata['x-amz-meta-file-name'];
  return {
    type: metadata['Content-Type'] || 'application/octet-stream',
    fileName: name ? decodeURIComponent(name) : null,
    size,
    storedAt: modified.getTime(),
  };
}

async function unlessMissing<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if ((error as { statusCode?: number } | null)?.statusCode === 404) return null;
    throw error;
  }
}
