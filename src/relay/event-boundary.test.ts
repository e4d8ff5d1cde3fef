import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createEventBoundary } from './event-boundary.ts';

const encode = (text: string) => new TextEncoder().encode(text);

test('is between events at the start and after a blank line in any of its forms', () => {
  for (const [text, expected] of [
    ['', true],
    ['data: a\n', false],
    ['data: a\n\n', true],
    ['data: a\r\n', false],
    ['data: a\r\n\r\n', true],
    ['data: a\r\r', true],
    ['data: a\r', false],
    ['data: a\n\r\n', true],
    ['data: a\n\ndata: b', false],
  ] as const) {
    const boundary = createEventBoundary();
    boundary.pass(encode(text));
    expect([text, boundary.isBetweenEvents()]).toEqual([text, expected]);
  }
});

test('says the same however the bytes are cut', () => {
  const piece = fc.constantFrom('\n', '\r', '\r\n', 'a', 'data: x');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), fc.array(fc.nat(3), { minLength: 1 }), (pieces, cuts) => {
      const bytes = encode(pieces.join(''));
      const whole = createEventBoundary();
      whole.pass(bytes);
      const cut = createEventBoundary();
      for (let start = 0, i = 0; start < bytes.length; i++) {
        const end = start + (cuts[i % cuts.length] ?? 0) + 1;
        cut.pass(bytes.subarray(start, end));
        start = end;
      }
      expect(cut.isBetweenEvents()).toBe(whole.isBetweenEvents());
    }),
  );
});
