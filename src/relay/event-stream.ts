import { createEventBoundary } from './event-boundary.ts';

const encoder = new TextEncoder();

/** What is sent in silence: a comment, which every event-stream parser ignores. */
export const keepAliveComment: Uint8Array = encoder.encode(': keep-alive\n\n');

/** Where the bytes of a stream come from: a reader of one, or anything that is read like it. */
export type Source = Pick<ReadableStreamDefaultReader<Uint8Array>, 'read' | 'cancel'>;

/** How a stream ended. */
export type Ending = {
  readonly bytes: number;
  readonly firstByteAt: number | null;
  readonly by: 'done' | 'client' | 'upstream' | 'timeout';
  readonly error?: unknown;
};

const endings = new WeakMap<ReadableStream<Uint8Array>, Promise<Ending>>();

/** How a stream that was made here will have ended; undefined for any other. Whoever wants to know need not count it once more. */
export function endingOf(stream: ReadableStream<Uint8Array>): Promise<Ending> | undefined {
  return endings.get(stream);
}

export type EventStreamOptions = {
  /** Seconds of silence after which a comment is sent; 0 for never. */
  readonly keepAlive: number;
  /** Seconds of upstream silence after which the stream is given up; 0 for never. */
  readonly idle: number;
  /** The text that ends a stream which broke. */
  errorEvent(error: unknown, idle: boolean): string;
};

/**
 * Carries an upstream's event stream with web streams: bytes as they come, comments in silence only between two events, an error event
 * where the upstream breaks off. Pull-based: it reads no further than the caller does.
 */
export function carryEventStream(source: Source, options: EventStreamOptions): ReadableStream<Uint8Array> {
  const { promise: ending, resolve: ended } = Promise.withResolvers<Ending>();
  const boundary = createEventBoundary();
  const keepAliveMs = options.keepAlive > 0 ? options.keepAlive * 1000 : Infinity;
  const idleMs = options.idle > 0 ? options.idle * 1000 : Infinity;
  let bytes = 0;
  let firstByteAt: number | null = null;
  /** Since when the source is waited for; null while the caller does not read. */
  let waitingSince: number | null = null;
  let lastSentAt = Date.now();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let over = false;
  let controller: ReadableStreamDefaultController<Uint8Array>;

  const finish = (by: Ending['by'], error?: unknown): void => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    ended({ bytes, firstByteAt, by, error });
  };

  const send = (chunk: Uint8Array): void => {
    bytes += chunk.length;
    lastSentAt = Date.now();
    controller.enqueue(chunk);
  };

  const breakOff = (error: unknown, idle: boolean): void => {
    const start = boundary.isBetweenEvents() ? '' : '\n\n';
    send(encoder.encode(start + options.errorEvent(error, idle)));
    finish(idle ? 'timeout' : 'upstream', error);
    controller.close();
  };

  /** One timer for the whole stream, which looks again when something may be due: a timer for each chunk costs more than carrying it. */
  const watch = (): void => {
    const now = Date.now();
    const idleAt = (waitingSince ?? now) + idleMs;
    if (waitingSince !== null && now >= idleAt) {
      breakOff(new Error('silent for too long'), true);
      return void source.cancel().catch(() => {});
    }
    let commentAt = lastSentAt + keepAliveMs;
    if (now >= commentAt) {
      if (waitingSince !== null && boundary.isBetweenEvents()) send(keepAliveComment);
      commentAt = now + keepAliveMs;
    }
    timer = setTimeout(watch, Math.max(Math.min(idleAt, commentAt) - now, 1));
  };

  const stream = new ReadableStream<Uint8Array>(
    {
      start(given) {
        controller = given;
        const first = Math.min(keepAliveMs, idleMs);
        if (first !== Infinity) timer = setTimeout(watch, first);
      },
      async pull() {
        // A comment is an answer to a pull too: the next one finds the read of this one still going on.
        if (waitingSince !== null) return;
        waitingSince = Date.now();
        try {
          const { done, value } = await source.read();
          waitingSince = null;
          if (over) return;
          if (done) {
            finish('done');
            return controller.close();
          }
          firstByteAt ??= Date.now();
          boundary.pass(value);
          send(value);
        } catch (error) {
          waitingSince = null;
          if (!over) breakOff(error, false);
        }
      },
      async cancel(reason) {
        finish('client');
        await source.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
  endings.set(stream, ending);
  return stream;
}
