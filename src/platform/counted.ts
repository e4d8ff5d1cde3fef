import { within } from '../within.ts';

/** How a body ended, and what it came to. */
export type Ended = { bytes: number; by: 'done' | 'client' | 'upstream'; error?: string };

/** The same bytes, counted; `ended` resolves when they are through, or when either side has left. */
export function counted(
  source: ReadableStream<Uint8Array>,
  idle = 0,
): {
  body: ReadableStream<Uint8Array>;
  ended: Promise<Ended>;
} {
  const reader = source.getReader();
  const { promise, resolve } = Promise.withResolvers<Ended>();
  let bytes = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await within(
            reader.read(),
            idle,
            () => new Error(`the upstream fell silent for ${idle} seconds`),
          );
          if (done) {
            resolve({ bytes, by: 'done' });
            return controller.close();
          }
          bytes += value.length;
          controller.enqueue(value);
        } catch (error) {
          resolve({ bytes, by: 'upstream', error: error instanceof Error ? error.message : String(error) });
          controller.error(error);
          void reader.cancel(error).catch(() => {});
        }
      },
      async cancel(reason) {
        resolve({ bytes, by: 'client' });
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
  return { body, ended: promise };
}
