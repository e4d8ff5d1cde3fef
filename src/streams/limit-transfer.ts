import { createIdleTimer } from './idle-timer.ts';
import { readChunks } from './read-chunks.ts';

/** How slow a transfer may be. */
export type TransferLimits = {
  /** Longest wait for the next chunk, in seconds; 0 for no limit. */
  readonly idleSeconds: number;
  /** Seconds that any transfer may take, whatever its size. */
  readonly graceSeconds: number;
  /** Beyond the grace time, each of these bytes that arrived allows one more second. */
  readonly bytesPerSecond: number;
};

/**
 * The same bytes with a limit on the time for all of them. The time grows with what has arrived, so
 * a large file may take long and one that drips may not. Beyond it the stream fails with what
 * `tooSlow` makes, and the body is cancelled.
 */
export function limitTransfer(
  body: ReadableStream<Uint8Array>,
  { idleSeconds, graceSeconds, bytesPerSecond }: TransferLimits,
  tooSlow: () => Error,
): ReadableStream<Uint8Array> {
  const iterator = readChunks(body)[Symbol.asyncIterator]();
  const startedAt = performance.now();
  let bytes = 0;
  let isOver = false;
  let controller: ReadableStreamDefaultController<Uint8Array>;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const end = (): void => {
    isOver = true;
    idle.end();
    clearTimeout(timer);
  };
  const fail = (error: unknown): void => {
    if (isOver) return;
    end();
    controller.error(error);
    void iterator.return?.().catch(() => {});
  };
  const idle = createIdleTimer(idleSeconds, () => fail(tooSlow()));
  const checkTime = (): void => {
    const allowedMs = (graceSeconds + bytes / bytesPerSecond) * 1000;
    const leftMs = startedAt + allowedMs - performance.now();
    if (leftMs <= 0) fail(tooSlow());
    else timer = setTimeout(checkTime, leftMs);
  };

  return new ReadableStream<Uint8Array>(
    {
      start(own) {
        controller = own;
        checkTime();
      },
      async pull() {
        try {
          idle.start();
          const { done, value } = await iterator.next();
          idle.stop();
          if (isOver) return;
          if (done) {
            end();
            return controller.close();
          }
          bytes += value.length;
          controller.enqueue(value);
        } catch (error) {
          fail(error);
        }
      },
      async cancel() {
        end();
        await iterator.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}
