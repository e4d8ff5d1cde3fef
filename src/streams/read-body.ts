import { createIdleTimer } from './idle-timer.ts';
import { concatBytes } from './read-all.ts';
import { readChunks } from './read-chunks.ts';

/** How much of a body is read, and how long. */
export type BodyLimits = {
  readonly maxBytes: number;
  /** Longest wait for the next chunk, in seconds; 0 for no limit. */
  readonly idleSeconds: number;
  /** Longest time for the whole body, in seconds. */
  readonly totalSeconds: number;
};

/** The limit that a body exceeded. */
export type ExceededLimit = 'size' | 'silence' | 'time';

/**
 * Reads a body to its end. Beyond a limit it throws what `exceeded` makes, at once, and cancels the
 * body. The timers do not depend on the body: one that ignores `cancel` cannot hold the caller.
 */
export function readBody(
  body: ReadableStream<Uint8Array> | null,
  { maxBytes, idleSeconds, totalSeconds }: BodyLimits,
  exceeded: (limit: ExceededLimit) => Error,
): Promise<Uint8Array> {
  if (body === null) return Promise.resolve(new Uint8Array());
  const iterator = readChunks(body)[Symbol.asyncIterator]();
  return new Promise((resolve, reject) => {
    const end = (): void => {
      idle.end();
      clearTimeout(timer);
    };
    const stop = (limit: ExceededLimit): void => {
      end();
      reject(exceeded(limit));
      void iterator.return?.().catch(() => {});
    };
    const idle = createIdleTimer(idleSeconds, () => stop('silence'));
    const timer = setTimeout(() => stop('time'), totalSeconds * 1000);
    const read = async (): Promise<Uint8Array | null> => {
      const chunks: Uint8Array[] = [];
      let length = 0;
      for (;;) {
        idle.start();
        const { done, value } = await iterator.next();
        idle.stop();
        if (done) return concatBytes(chunks);
        length += value.length;
        if (length > maxBytes) return null;
        chunks.push(value);
      }
    };
    read().then(
      (bytes) => {
        end();
        if (bytes === null) stop('size');
        else resolve(bytes);
      },
      (error: unknown) => {
        end();
        reject(error);
      },
    );
  });
}
