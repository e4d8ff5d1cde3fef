import { expect, test } from 'vitest';
import { eventsOf } from './sse.ts';

/** A body that says some texts and then waits for ever. */
function endless(texts: readonly string[]) {
  const left = [...texts];
  const seen = { cancelled: false };
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const text = left.shift();
        if (text === undefined) return new Promise<void>(() => {});
        controller.enqueue(new TextEncoder().encode(text));
        return Promise.resolve();
      },
      cancel() {
        seen.cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { body, seen };
}

test('gives the events of a body to its end, the last line unended', async () => {
  const found: string[] = [];
  const body = new Response('data: a\n\ndata: b').body as ReadableStream<Uint8Array>;
  for await (const { data } of eventsOf(body)) found.push(data);
  expect(found).toEqual(['a', 'b']);
});

test('leaving lets the body go, by a break and by an error alike', async () => {
  const left = endless(['data: a\n\n', 'data: b\n\n']);
  for await (const { data } of eventsOf(left.body)) if (data === 'b') break;
  expect(left.seen.cancelled).toBe(true);
  const failed = endless(['data: a\n\n']);
  const reading = async () => {
    for await (const { data } of eventsOf(failed.body)) JSON.parse(data);
  };
  await expect(reading()).rejects.toThrow(SyntaxError);
  expect(failed.seen.cancelled).toBe(true);
});
