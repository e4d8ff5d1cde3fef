import type { Pace } from '../emulator.ts';

const encoder = new TextEncoder();

/**
 * An event stream of lines, at the given pace. A line is made when it is read; the stream ends when
 * its reader leaves.
 */
export function eventStream(lines: Iterable<string>, pace: Pace): Response {
  const iterator = lines[Symbol.iterator]();
  let wait = pace.first;
  let left: AbortController | null = null;
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (wait > 0) {
          left = new AbortController();
          if (!(await sleep(wait, left.signal))) return;
        }
        wait = pace.between;
        const next = iterator.next();
        if (next.done) controller.close();
        else controller.enqueue(encoder.encode(next.value));
      },
      cancel() {
        left?.abort();
        iterator.return?.();
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { headers: { 'content-type': 'text/event-stream; charset=utf-8' } });
}

/** Waits. Resolves to false if the signal ended it. */
export function sleep(ms: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(true), ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve(false);
    });
  });
}

export function dataLine(value: unknown): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}
