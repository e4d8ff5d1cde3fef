/**
 * Reads a stream to its end. Beyond `limit` bytes it cancels the stream and throws what `tooLarge`
 * makes. It has no limit on time: see `readBody`. `onBytes` may throw to stop.
 */
export async function readAll(
  stream: AsyncIterable<Uint8Array> | null,
  limit: number,
  tooLarge: () => Error,
  onBytes?: (bytes: number) => void,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream ?? []) {
    length += chunk.length;
    if (length > limit) throw tooLarge();
    onBytes?.(chunk.length);
    chunks.push(chunk);
  }
  return concatBytes(chunks);
}

/** Joins chunks. A single one is not copied. */
export function concatBytes(chunks: readonly Uint8Array[]): Uint8Array {
  const only = chunks[0];
  if (only && chunks.length === 1) return only;
  const whole = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}
