import { createIdleTimer } from './idle-timer.ts';

/** How a body ended, and what it came to. */
export type BodyEnd = { bytes: number; by: 'done' | 'client' | 'upstream'; error?: string };

/** The same bytes, counted; `ended` resolves when they are through, or when either side has left. */
export function countBytes(
  source: ReadableStream<Uint8Array>,
  idle = 0,
): {
  body: ReadableStream<Uint8Array>;
  ended: Promise<BodyEnd>;
} {
  const reader = source.getReader();
  const { promise, resolve } = Promise.withResolvers<BodyEnd>();
  let bytes = 0;
  const silence = createIdleTimer(idle, () =>
    give(new Error(`the upstream fell silent for ${idle} seconds`)),
  );
  let controller: ReadableStreamDefaultController<Uint8Array>;
  let over = false;
  const end = (ended: BodyEnd): void => {
    over = true;
    silence.end();
    resolve(ended);
  };
  /** Ends both sides for a reason. */
  const give = (error: unknown): void => {
    if (over) return;
    end({ bytes, by: 'upstream', error: error instanceof Error ? error.message : String(error) });
    controller.error(error);
    void reader.cancel(error).catch(() => {});
  };
  const body = new ReadableStream<Uint8Array>(
    {
      start(given) {
        controller = given;
      },
      async pull() {
        try {
          silence.start();
          const { done, value } = await reader.read();
          silence.stop();
          if (over) return;
          if (done) {
            end({ bytes, by: 'done' });
            return controller.close();
          }
          bytes += value.length;
          controller.enqueue(value);
        } catch (error) {
          give(error);
        }
      },
      async cancel(reason) {
        end({ bytes, by: 'client' });
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
  return { body, ended: promise };
}
