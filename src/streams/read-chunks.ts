/** The least and the most that is asked for at once where a body lets us say so, in bytes. */
const leastAtOnce = 4 * 1024;
const mostAtOnce = 64 * 1024;

/**
 * The pieces of a body. Leaving cancels it at once, also while a piece is awaited, which the body's own iterator does not. Where the body can fill a
 * buffer of ours, what has arrived already comes in one piece: in workerd each piece costs some 20 µs, whatever its size.
 */
export function readChunks(body: ReadableStream<Uint8Array>): AsyncIterable<Uint8Array> {
  const reader = byteReader(body);
  return {
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        const { done, value } = await reader.read();
        return done ? { done, value: undefined } : { done: false, value };
      },
      return: async () => {
        await reader.cancel();
        return { done: true, value: undefined };
      },
    }),
  };
}

/** Reads the chunks of a body. */
export type ByteReader = Pick<ReadableStreamDefaultReader<Uint8Array>, 'read' | 'cancel' | 'releaseLock'>;

/** A reader that gets all that has arrived in one chunk, if the body can fill a buffer of ours. */
export function byteReader(body: ReadableStream<Uint8Array>): ByteReader {
  return filling(body) ?? body.getReader();
}

/** A reader that brings buffers along, larger ones while they come back full; null where the body takes none. */
function filling(body: ReadableStream<Uint8Array>): ByteReader | null {
  let reader: ReadableStreamBYOBReader;
  try {
    reader = body.getReader({ mode: 'byob' });
  } catch {
    return null;
  }
  let size = leastAtOnce;
  return {
    cancel: (reason) => reader.cancel(reason),
    releaseLock: () => reader.releaseLock(),
    async read() {
      const { done, value } = await reader.read(new Uint8Array(size));
      if (done || value === undefined) return { done: true, value: undefined };
      size = value.length === size ? Math.min(size * 2, mostAtOnce) : Math.max(leastAtOnce, size / 2);
      return { done: false, value };
    },
  };
}
