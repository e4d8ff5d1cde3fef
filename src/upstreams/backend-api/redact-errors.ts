import type { Segment } from '../../segments/segment.ts';

/** The same batches; the messages of error segments pass through `redact`, which removes the key. */
export async function* redactErrors(
  batches: AsyncIterable<readonly Segment[]>,
  redact: (words: string) => string,
): AsyncGenerator<readonly Segment[]> {
  for await (const batch of batches) {
    yield batch.some(({ kind }) => kind === 'error')
      ? batch.map((segment) =>
          segment.kind === 'error' ? { ...segment, message: redact(segment.message) } : segment,
        )
      : batch;
  }
}
