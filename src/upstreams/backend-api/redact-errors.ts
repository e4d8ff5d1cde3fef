import type { Segment } from '../../segments/segment.ts';
import type { SegmentBatches } from '../upstream.ts';

/**
 * The same batches; the messages of error segments pass through `redact`, which removes the key.
 */
export function redactErrors(batches: SegmentBatches, redact: (words: string) => string): SegmentBatches {
  const redacted = (batch: readonly Segment[]): readonly Segment[] =>
    batch.some(({ kind }) => kind === 'error')
      ? batch.map((segment) =>
          segment.kind === 'error' ? { ...segment, message: redact(segment.message) } : segment,
        )
      : batch;
  const result: SegmentBatches = {
    async next() {
      const next = await batches.next();
      return next.done ? next : { done: false, value: redacted(next.value) };
    },
    return: () => batches.return(),
    [Symbol.asyncIterator]: () => result,
  };
  return result;
}
