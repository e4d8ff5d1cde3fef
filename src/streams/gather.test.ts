import { describe, expect, test } from 'vitest';
import { gatherChunks } from './gather.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A body whose chunks come `ms` milliseconds apart. */
function body(chunks: readonly string[], ms: number, onCancel = () => {}): ReadableStream<Uint8Array> {
  let next = 0;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (next > 0) await new Promise((resolve) => setTimeout(resolve, ms));
      const chunk = chunks[next++];
      if (chunk === undefined) controller.close();
      else if (chunk === 'break') controller.error(new Error('broken'));
      else controller.enqueue(encoder.encode(chunk));
    },
    cancel: onCancel,
  });
}

async function readTexts(reader: ReturnType<typeof gatherChunks>): Promise<string[]> {
  const texts: string[] = [];
  for (;;) {
    const { done, value } = await reader.read();
    if (done || value === undefined) return texts;
    texts.push(decoder.decode(value));
  }
}

describe('gathering chunks', () => {
  test('gives the first at once, and the rest in one when the body ends', async () => {
    const start = performance.now();
    const reader = gatherChunks(body(['a', 'b', 'c', 'd'], 5).getReader(), 10_000);
    expect(await readTexts(reader)).toEqual(['a', 'bcd']);
    expect(performance.now() - start).toBeLessThan(5000);
  });

  test('gives what has gathered after the pause, while the body goes on', async () => {
    const letters = Array.from({ length: 40 }, (_, i) => String.fromCharCode(65 + i));
    const texts = await readTexts(gatherChunks(body(letters, 10).getReader(), 100));
    expect(texts.join('')).toBe(letters.join(''));
    expect(texts.length).toBeGreaterThan(2);
    expect(texts.length).toBeLessThan(12);
  });

  test('gives a chunk that comes long after the pause', async () => {
    const reader = gatherChunks(body(['a', 'b'], 60).getReader(), 10);
    expect(await readTexts(reader)).toEqual(['a', 'b']);
  });

  test('does not wait if much has arrived', async () => {
    const start = performance.now();
    const big = 'x'.repeat(300 * 1024);
    const reader = gatherChunks(body(['a', big, 'b'], 1).getReader(), 10_000);
    expect((await readTexts(reader)).map((text) => text.length)).toEqual([1, big.length, 1]);
    expect(performance.now() - start).toBeLessThan(5000);
  });

  test('gives what came before a break, then fails', async () => {
    const reader = gatherChunks(body(['a', 'b', 'break'], 1).getReader(), 10_000);
    expect(decoder.decode((await reader.read()).value)).toBe('a');
    expect(decoder.decode((await reader.read()).value)).toBe('b');
    await expect(reader.read()).rejects.toThrow('broken');
  });

  test('a cancel ends a pause at once, and the body', async () => {
    let cancelled = false;
    const reader = gatherChunks(
      body(['a', 'b', 'c', 'd', 'e'], 50, () => (cancelled = true)).getReader(),
      10_000,
    );
    await reader.read();
    const pending = reader.read();
    await reader.cancel();
    expect(await pending).toEqual({ done: true, value: undefined });
    expect(cancelled).toBe(true);
  });
});
