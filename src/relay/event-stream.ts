import { createEventBoundary } from './event-boundary.ts';

/** The bytes of a stream: a reader, or anything that is read like one. */
export type Source = Pick<ReadableStreamDefaultReader<Uint8Array>, 'read' | 'cancel'>;

export type EventStreamOptions = {
  /** Seconds of silence after which a heartbeat is sent; 0 for never. */
  readonly keepAlive: number;
  /** The heartbeat. */
  heartbeat(): Uint8Array;
  /** The text that ends a stream which broke. */
  errorEvent(error: unknown): string;
};

const encoder = new TextEncoder();
/**
 * Between an error line and the error of the stream, in milliseconds: a stream's error drops what
 * is unread.
 */
const lastWordsMs = 100;

/**
 * An event stream that the gateway makes: heartbeats in silence, between two events only. If the
 * source fails, an error event is sent and the stream ends in an error, so that a client which
 * ignores the event still sees that the response is incomplete. Pull-based: it reads no further
 * than its reader does.
 */
export function createEventStream(source: Source, options: EventStreamOptions): ReadableStream<Uint8Array> {
  const boundary = createEventBoundary();
  const keepAliveMs = options.keepAlive * 1000;
  let isReading = false;
  let sentAt = performance.now();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isOver = false;
  let controller: ReadableStreamDefaultController<Uint8Array>;

  const send = (chunk: Uint8Array): void => {
    sentAt = performance.now();
    controller.enqueue(chunk);
  };

  const end = (): void => {
    isOver = true;
    clearTimeout(timer);
  };

  const fail = (error: unknown): void => {
    if (isOver) return;
    end();
    const start = boundary.isBetweenEvents() ? '' : '\n\n';
    send(encoder.encode(start + options.errorEvent(error)));
    setTimeout(() => controller.error(new Error('the response is incomplete')), lastWordsMs);
  };

  /** One timer for the whole stream: a timer for each chunk costs more than the chunk. */
  const beat = (): void => {
    const dueAt = sentAt + keepAliveMs;
    const isDue = performance.now() >= dueAt;
    if (isDue && isReading && boundary.isBetweenEvents()) send(options.heartbeat());
    const next = isDue ? keepAliveMs : dueAt - performance.now();
    timer = setTimeout(beat, Math.max(next, 1));
  };

  return new ReadableStream<Uint8Array>(
    {
      start(started) {
        controller = started;
        if (keepAliveMs > 0) timer = setTimeout(beat, keepAliveMs);
      },
      async pull() {
        // A heartbeat answers a pull too: the next pull finds the read of this one still open.
        if (isReading || isOver) return;
        isReading = true;
        try {
          const { done, value } = await source.read();
          isReading = false;
          if (isOver) return;
          if (done) {
            end();
            return controller.close();
          }
          boundary.pass(value);
          send(value);
        } catch (error) {
          isReading = false;
          fail(error);
        }
      },
      async cancel(reason) {
        end();
        await source.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}
