import type { FileHandle } from 'node:fs/promises';

/** Where the bytes of a stored body are: in memory, or in part of a file. */
export type BodySource =
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  | {
      readonly kind: 'file';
      readonly file: FileHandle;
      readonly offset: number;
      readonly length: number;
      /** Buffers for the next reads, shared by all bodies: a new one costs more than a read. */
      readonly spare: Buffer[];
    };

/** Bytes read from a file at a time. */
const pieceBytes = 256 * 1024;
const maxSpare = 16;

/**
 * A stored body. It can be read as a stream, but the server reads its source instead: a web stream
 * costs more than the file.
 */
export class StoredBody extends ReadableStream<Uint8Array> {
  readonly source: BodySource;

  constructor(source: BodySource) {
    const pieces = source.kind === 'file' ? piecesOf(source) : null;
    super(
      {
        async pull(controller) {
          if (source.kind === 'bytes') {
            if (source.bytes.length > 0) controller.enqueue(source.bytes);
            return controller.close();
          }
          const { done, value } = (await pieces?.next()) ?? { done: true };
          // A copy, since the buffer is used for the next read.
          if (value) controller.enqueue(Buffer.from(value));
          if (done) controller.close();
        },
        async cancel() {
          await pieces?.return(undefined);
          if (source.kind === 'file') await source.file.close();
        },
      },
      { highWaterMark: 0 },
    );
    this.source = source;
  }
}

/**
 * Part of a file in pieces, each valid until the next one. The file is closed at the end, also
 * after an error.
 */
export async function* piecesOf({
  file,
  offset,
  length,
  spare,
}: Extract<BodySource, { kind: 'file' }>): AsyncGenerator<Buffer> {
  const buffer = spare.pop() ?? Buffer.allocUnsafeSlow(pieceBytes);
  try {
    for (let left = length; left > 0; ) {
      const { bytesRead } = await file.read(buffer, 0, Math.min(pieceBytes, left), offset + length - left);
      if (bytesRead === 0) throw new Error('the file is shorter than it was');
      left -= bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    if (spare.length < maxSpare) spare.push(buffer);
    await file.close().catch(() => {});
  }
}
