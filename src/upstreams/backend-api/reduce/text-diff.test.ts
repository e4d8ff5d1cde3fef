import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createTextDiff } from './text-diff.ts';

/** What is told of texts that follow each other; the last is finished. */
function told(texts: readonly string[]): string[] {
  const growing = createTextDiff();
  return texts.map((text, i) => growing.next(text, null, i === texts.length - 1));
}

describe('a text that is sent again as it grows', () => {
  test.each([
    ['tells what is new', ['a', 'ab', 'ab', 'abcd'], ['a', 'b', '', 'cd']],
    ['is waited for where it shrinks', ['abc', 'a', 'ab', 'abcd'], ['abc', '', '', 'd']],
    ['ends shorter, and nothing can be unsaid', ['abc', 'ab'], ['abc', '']],
    [
      'goes on after what is common where it is rewritten, once it is longer',
      ['abcd', 'abX', 'abXYZ', 'abXYZ!'],
      ['abcd', '', 'XYZ', '!'],
    ],
    ['goes on after what is common where it is rewritten and finished', ['abcd', 'abX'], ['abcd', 'X']],
    ['is told to its last word, which only the finished one may have', ['a b', 'a b.'], ['a b', '.']],
    [
      'waits for characters that come in pieces',
      ['a\uFFFD', 'a\uFFFD\uFFFD', 'a🌊', 'a🌊b'],
      ['a', '', '🌊', 'b'],
    ],
    ['waits for the other half of a pair', ['a\uD83C', 'a\uD83C\uDF0A', 'a🌊b'], ['a', '🌊', 'b']],
    ['keeps a replacement character that is meant', ['a\uFFFD', 'a\uFFFD b'], ['a', '\uFFFD b']],
    ['never splits a pair where it is rewritten', ['a🌊', 'a🌋!'], ['a🌊', '🌋!']],
  ])('%s', (_, texts, pieces) => {
    expect(told(texts)).toEqual(pieces);
  });

  test('given up, it tells what it waited with', () => {
    const growing = createTextDiff();
    expect(growing.next('a\uFFFD', null, false)).toBe('a');
    expect(growing.rest()).toBe('\uFFFD');
    expect(growing.rest()).toBe('');
    growing.next('b', null, false);
    expect(growing.rest()).toBe('b');
  });
});

test('what a sender says was appended changes nothing but the cost', () => {
  const piece = fc.constantFrom('a', 'b', 'ab', '', '🌊', '\uFFFD', '\uD83C', '\uDF0A');
  const step = fc.oneof(
    fc.record({ append: piece }),
    fc.record({ replace: fc.array(piece, { maxLength: 3 }).map((pieces) => pieces.join('')) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const [quick, slow] = [createTextDiff(), createTextDiff()];
      let text = '';
      for (const [i, each] of steps.entries()) {
        const appended = 'append' in each ? each.append : null;
        text = 'append' in each ? text + each.append : each.replace;
        const finished = i === steps.length - 1;
        expect(quick.next(text, appended, finished)).toBe(slow.next(text, null, finished));
      }
      expect(quick.rest()).toBe(slow.rest());
    }),
    { numRuns: 1000 },
  );
});

test('pieces that only grow, joined, are the text', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', 'é', '🌊', ' ', '\n')), (pieces) => {
      const texts = pieces.map((_, i) => pieces.slice(0, i + 1).join(''));
      expect(told(texts).join('')).toBe(pieces.join(''));
    }),
  );
});
