import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSseReader, type SseEvent } from './sse.ts';

const encode = (text: string) => new TextEncoder().encode(text);

function read(text: string, cuts: readonly number[] = [text.length]): SseEvent[] {
  const bytes = encode(text);
  const reader = createSseReader();
  const out: SseEvent[] = [];
  for (let start = 0, i = 0; start < bytes.length; i++) {
    const end = start + Math.max(cuts[i % cuts.length] ?? 1, 1);
    out.push(...reader.push(bytes.subarray(start, end)));
    start = end;
  }
  return [...out, ...reader.end()];
}

describe('events are read', () => {
  test.each([
    ['LF', 'data: a\n\ndata: b\n\n', ['a', 'b']],
    ['CRLF', 'data: a\r\n\r\ndata: b\r\n\r\n', ['a', 'b']],
    ['CR', 'data: a\r\rdata: b\r\r', ['a', 'b']],
    ['a mix of line ends', 'data: a\n\n: ping\r\n\r\ndata: b\r\n\ndata: c\r\r\n', ['a', 'b', 'c']],
    ['a byte order mark', '\uFEFFdata: a\n\n', ['a']],
    ['no more than one byte order mark', '\uFEFF\uFEFFdata: a\n\ndata: b\n\n', ['b']],
    ['several data lines', 'data: a\ndata:b\ndata\n\n', ['a\nb\n']],
    ['no blank line at the end', 'data: a\n\ndata: [DONE]', ['a', '[DONE]']],
    ['fields that mean nothing here', 'id: 1\nretry: 5\nfoo\ndata: a\n\n', ['a']],
    ['comments alone', ': hi\n\n: ho\n\n', []],
    ['data with colons and spaces', 'data:  a: b \n\n', [' a: b ']],
  ])('with %s', (_, text, data) => {
    expect(read(text).map((event) => event.data)).toEqual(data);
    expect(read(text, [1]).map((event) => event.data)).toEqual(data);
  });

  test('with their names, which do not outlive them', () => {
    expect(read('event: ping\ndata: x\n\ndata: y\n\n')).toEqual([
      { event: 'ping', data: 'x' },
      { event: null, data: 'y' },
    ]);
  });

  test('the same however the bytes are cut, in the middle of characters too', () => {
    const piece = fc.constantFrom('data: 中文🌊é', '\n', '\r\n', '\r', 'event: x', ': c', 'data:');
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1 }),
        (pieces, cuts) => {
          const text = pieces.join('');
          expect(read(text, cuts)).toEqual(read(text));
        },
      ),
    );
  });
});

test('a line of 10 MB in small pieces takes linear time', () => {
  const reader = createSseReader();
  const piece = encode('x'.repeat(1000));
  reader.push(encode('data: '));
  for (let i = 0; i < 10_000; i++) reader.push(piece);
  expect(reader.push(encode('\n\n'))[0]?.data.length).toBe(10_000_000);
});

test('a line without end is an error, not all memory', () => {
  const reader = createSseReader(1000);
  expect(() => {
    for (;;) reader.push(encode('x'.repeat(100)));
  }).toThrow('longer than 1000 characters');
});

test('an event of many lines has a limit too', () => {
  const reader = createSseReader(100);
  const line = new TextEncoder().encode(`data: ${'x'.repeat(40)}\n`);
  reader.push(line);
  reader.push(line);
  expect(() => reader.push(line)).toThrow('an event of the event stream is longer than 100 characters');
});
