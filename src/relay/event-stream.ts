import { createBoundary } from './boundary.ts';

const encoder = new TextEncoder();

/** What is sent in silence: a comment, which every event-stream parser ignores. */
export const keepAliveComment: Uint8Array = encoder.encode(': keep-alive\n\n');

export type EventStreamOptions = {
  /** Seconds of silence after which a comment is sent; 0 for never. */
  readonly keepAlive: number;
  /** Seconds of upstream silence after which the stream is given up; 0 for never. */
  readonly idle: number;
  /** The text that ends a stream which broke. */
  errorEvent(error: unknown, idle: boolean): string;
  /** Told once, when the stream is over. */
  ended(how: {
    bytes: number;
    firstByteAt: number | null;
    by: 'done' | 'client' | 'upstream' | 'timeout';
    error?: unknown;
  }): void;
};

/**
 * Carries an upstream's event stream with web streams: bytes as they come, comments in silence only between two events, an error event
 * where the upstream breaks off. Pull-based: it reads no further than the caller does.
 */
export function carryEventStream(
  source: ReadableStream<Uint8Array>,
  options: EventStreamOptions,
): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  const boundary = createBoundary();
  const keepAliveMs = options.keepAlive * 1000;
  const idleMs = options.idle * 1000;
  let bytes = 0;
  let firstByteAt: number | null = null;
  let pending: Promise<Read> | null = null;
  let waitingSince = 0;
  let lastSentAt = Date.now();
  let over = false;

  const finish = (by: 'done' | 'client' | 'upstream' | 'timeout', error?: unknown): void => {
    if (over) return;
    over = true;
    options.ended({ bytes, firstByteAt, by, error });
  };

  const send = (controller: ReadableStreamDefaultController<Uint8Array>, chunk: Uint8Array): void => {
    bytes += chunk.length;
    lastSentAt = Date.now();
    controller.enqueue(chunk);
  };

  const breakOff = (
    controller: ReadableStreamDefaultController<Uint8Array>,
    error: unknown,
    idle: boolean,
  ): void => {
    const start = boundary.betweenEvents() ? '' : '\n\n';
    send(controller, encoder.encode(start + options.errorEvent(error, idle)));
    finish(idle ? 'timeout' : 'upstream', error);
    controller.close();
  };

  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (!pending) {
          pending = settled(reader.read());
          waitingSince = Date.now();
        }
        const now = Date.now();
        const comment =
          keepAliveMs > 0 && boundary.betweenEvents() ? lastSentAt + keepAliveMs - now : Infinity;
        const patience = idleMs > 0 ? waitingSince + idleMs - now : Infinity;
        const read = await within(pending, Math.min(comment, patience));
        if (over) return;
        if (read === 'silence') {
          // The read stays pending, and the next pull takes it up again.
          if (comment < patience) return send(controller, keepAliveComment);
          breakOff(controller, new Error('silent for too long'), true);
          return reader.cancel().catch(() => {});
        }
        pending = null;
        if ('error' in read) return breakOff(controller, read.error, false);
        if (read.done) {
          finish('done');
          return controller.close();
        }
        firstByteAt ??= Date.now();
        boundary.pass(read.value);
        send(controller, read.value);
      },
      async cancel(reason) {
        finish('client');
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}

type Read = ReadableStreamReadResult<Uint8Array> | { error: unknown };

function settled(read: Promise<ReadableStreamReadResult<Uint8Array>>): Promise<Read> {
  return read.catch((error: unknown) => ({ error }));
}

/** What was read, or `silence` where nothing came within `waitMs` milliseconds. */
async function within(read: Promise<Read>, waitMs: number): Promise<Read | 'silence'> {
  if (waitMs === Infinity) return read;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<'silence'>((resolve) => {
    timer = setTimeout(() => resolve('silence'), Math.max(waitMs, 0));
  });
  try {
    return await Promise.race([read, silence]);
  } finally {
    clearTimeout(timer);
  }
}
