import type { RecordFields } from '../call.ts';
import { errorBody, toFailure } from '../http/failure.ts';
import { recordFailure } from './record-failure.ts';

export type HeartbeatOptions = {
  /** Seconds between two spaces. */
  readonly everySeconds: number;
  /** Learns of a failure, which the status cannot tell any more. */
  readonly record: RecordFields;
  /** Called if the caller leaves. */
  onLeave(): void;
};

/**
 * A JSON response that begins with spaces while its value is awaited, so that no proxy gives up on
 * the silence. The status is 200 by then, even if the value is an error.
 */
export function jsonWithHeartbeat(
  work: Promise<unknown>,
  { everySeconds, record, onLeave }: HeartbeatOptions,
): Response {
  const encoder = new TextEncoder();
  const body = work.then(
    (value) => JSON.stringify(value),
    (error: unknown) => {
      const failure = toFailure(error);
      recordFailure(record, failure);
      return JSON.stringify(errorBody(failure));
    },
  );
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const text = await settledWithin(body, Math.max(everySeconds, 1) * 1000);
        controller.enqueue(encoder.encode(text ?? ' '));
        if (text !== null) controller.close();
      },
      cancel: () => onLeave(),
    },
    { highWaterMark: 0 },
  );
  return new Response(stream, { headers: { 'content-type': 'application/json', 'x-accel-buffering': 'no' } });
}

/** The value of a promise; null if it is not settled within a time. */
export async function settledWithin<T>(promise: Promise<T>, ms: number): Promise<T | null> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
