import { concatBytes } from '../../streams/read-all.ts';

/** The same bytes in parts of one size, except for the last. One part is in memory at a time. */
export async function* inParts(
  body: AsyncIterable<Uint8Array>,
  partBytes: number,
): AsyncGenerator<Uint8Array> {
  let chunks: Uint8Array[] = [];
  let length = 0;
  for await (let chunk of body) {
    while (length + chunk.length >= partBytes) {
      const missing = partBytes - length;
      yield concatBytes([...chunks, chunk.subarray(0, missing)]);
      chunk = chunk.subarray(missing);
      chunks = [];
      length = 0;
    }
    if (chunk.length > 0) chunks.push(chunk);
    length += chunk.length;
  }
  if (length > 0) yield concatBytes(chunks);
}
