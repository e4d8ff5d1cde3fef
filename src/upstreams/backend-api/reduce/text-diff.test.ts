import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createTextDiff } from './text-diff.ts';

/**
 * What comes of texts that follow each other; the last is finished. A correction is marked with
 * `!`.
 */
function changes(texts: readonly string[]): string[] {
  const diff = createTextDiff();
  return texts.map((text, i) => {
    const change = diff.next(text, null, i === texts.length - 1);
    return change === null ? '' : change.isCorrection ? `!${change.added}` : change.added;
  });
}

describe('a text that is sent again as it grows', () => {
  test.each([
    ['gives what is new', ['a', 'ab', 'ab', 'abcd'], ['a', 'b', '', 'cd']],
    [
      'waits when it shrinks, and goes on if it grows to the same',
      ['abc', 'a', 'ab', 'abcd'],
      ['abc', '', '', 'd'],
    ],
    ['comes again if it ends shorter', ['abc', 'ab'], ['abc', '!ab']],
    ['ends if only blanks were taken away', ['abc \n', 'abc'], ['abc \n', '']],
    [
      'comes again at once when it changes, and grows from there',
      ['abcd', 'abX', 'abXYZ', 'abXYZ.'],
      ['abcd', '!abX', 'YZ', '.'],
    ],
    [
      'comes again when it ends changed',
      ['The answer is 41', 'The answer is 42'],
      ['The answer is 41', '!The answer is 42'],
    ],
    [
      'comes again only at its end if it changes again',
      ['ab', 'aX', 'aY', 'aYb', 'aYb.'],
      ['ab', '!aX', '', '', '!aYb.'],
    ],
    ['goes to its last word, which only the finished one may have', ['a b', 'a b.'], ['a b', '.']],
    [
      'waits for characters that come in pieces',
      ['a\uFFFD', 'a\uFFFD\uFFFD', 'a🌊', 'a🌊b'],
      ['a', '', '🌊', 'b'],
    ],
    ['waits for the other half of a pair', ['a\uD83C', 'a\uD83C\uDF0A', 'a🌊b'], ['a', '🌊', 'b']],
    ['keeps a replacement character that is meant', ['a\uFFFD', 'a\uFFFD b'], ['a', '\uFFFD b']],
  ])('%s', (_, texts, pieces) => {
    expect(changes(texts)).toEqual(pieces);
  });

  test('changes unseen in its last characters, if those are held back', () => {
    const diff = createTextDiff();
    diff.next('see 【3†', null, false, 0);
    expect(diff.next('see it', null, false, 3)).toEqual({ kept: 4, added: 'it', isCorrection: false });
    expect(diff.next('saw it', null, false, 1)).toMatchObject({ added: 'saw it', isCorrection: true });
  });

  test('ended early, it gives what it waited with', () => {
    const diff = createTextDiff();
    expect(diff.next('a\uFFFD', null, false)?.added).toBe('a');
    expect(diff.rest()?.added).toBe('\uFFFD');
    expect(diff.rest()).toBeNull();
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
        expect(quick.next(text, appended, finished)).toEqual(slow.next(text, null, finished));
      }
      expect(quick.rest()).toEqual(slow.rest());
    }),
    { numRuns: 1000 },
  );
});

test('pieces that only grow, joined, are the text', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', 'é', '🌊', ' ', '\n')), (pieces) => {
      const texts = pieces.map((_, i) => pieces.slice(0, i + 1).join(''));
      expect(changes(texts).join('')).toBe(pieces.join(''));
    }),
  );
});
