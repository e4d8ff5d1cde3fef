import { createIdleTimer } from './idle-timer.ts';

/** How a body ended, and how many bytes it had. */
export type BodyEnd = {
  readonly bytes: number;
  /** Monotonic time of the first byte; null if there was none. */
  readonly firstByteAt: number | null;
  readonly by: 'done' | 'client' | 'gateway';
  readonly error?: string;
};

type CountOptions = {
  /** Longest silence of the source, in seconds; 0 for no limit. */
  readonly idleSeconds?: number;
};

/**
 * The same bytes, counted. `ended` resolves when they are through, or when either side has left.
 */
export function countBytes(
  source: ReadableStream<Uint8Array>,
  { idleSeconds = 0 }: CountOptions = {},
): { readonly body: ReadableStream<Uint8Array>; readonly ended: Promise<BodyEnd> } {
  const reader = source.getReader();
  const { promise: ended, resolve } = Promise.withResolvers<BodyEnd>();
  let bytes = 0;
  let firstByteAt: number | null = null;
  let controller: ReadableStreamDefaultController<Uint8Array>;
  const idle = createIdleTimer(idleSeconds, () => {
    const error = new Error(`no data for ${idleSeconds} seconds`);
    end('gateway', error.message);
    controller.error(error);
    void reader.cancel(error).catch(() => {});
  });
  const end = (by: BodyEnd['by'], error?: string): void => {
    idle.end();
    resolve({ bytes, firstByteAt, by, ...(error === undefined ? {} : { error }) });
  };
  const body = new ReadableStream<Uint8Array>(
    {
      start(started) {
        controller = started;
      },
      async pull() {
        try {
          idle.start();
          const { done, value } = await reader.read();
          idle.stop();
          if (done) {
            end('done');
            return controller.close();
          }
          firstByteAt ??= performance.now();
          bytes += value.length;
          controller.enqueue(value);
        } catch (error) {
          end('gateway', error instanceof Error ? error.message : String(error));
          controller.error(error);
        }
      },
      async cancel(reason) {
        end('client');
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
  return { body, ended };
}
