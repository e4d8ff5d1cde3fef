import { errorEvent, Failure } from '../http/failure.ts';

/**
 * A JSON answer with spaces before it while it is awaited, so that nothing on the way gives up on the silence. The status is 200 by then,
 * whatever comes. `left` is called where the caller does not wait.
 */
export function jsonWithHeartbeat(
  work: Promise<unknown>,
  everySeconds: number,
  left: () => Promise<unknown>,
): Response {
  const encoder = new TextEncoder();
  const body = work.then(
    (value) => JSON.stringify(value),
    (error: unknown) =>
      errorEvent(error instanceof Failure ? error : new Failure('internal_error', 'The gateway failed.'))
        .slice('data: '.length)
        .trim(),
  );
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const text = await settledWithin(body, Math.max(everySeconds, 1) * 1000);
        controller.enqueue(encoder.encode(text ?? ' '));
        if (text !== null) controller.close();
      },
      async cancel() {
        await left();
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(stream, { headers: { 'content-type': 'application/json', 'x-accel-buffering': 'no' } });
}

/** What a promise settled to within a time; null where it has not. */
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
