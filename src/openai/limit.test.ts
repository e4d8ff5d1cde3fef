import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLimit } from './limit.ts';

const countTokens = (text: string) => [...text].length;

function limited(pieces: readonly string[], stop: readonly string[], maxTokens: number | null = null) {
  const limit = createLimit({ stop, maxTokens, countTokens });
  const out = pieces.map((piece) => limit.push(piece));
  out.push(limit.end());
  return { text: out.map(({ text }) => text).join(''), ended: out.at(-1)?.ended };
}

test('an answer ends before the first stop sequence, however it is cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('a', 'b', 'ab', 'END', 'E', 'EN', 'D'), { maxLength: 12 }),
      (pieces) => {
        const whole = pieces.join('');
        const stops = ['END', 'bb'];
        const at = stops.map((stop) => whole.indexOf(stop)).filter((found) => found >= 0);
        const wanted =
          at.length > 0
            ? { text: whole.slice(0, Math.min(...at)), ended: 'stop' }
            : { text: whole, ended: null };
        expect(limited([...whole], stops)).toEqual(wanted);
      },
    ),
  );
});

test('an answer ends at its last token, between characters', () => {
  expect(limited(['ab', '🌊c', 'd'], [], 3)).toEqual({ text: 'ab🌊', ended: 'length' });
  expect(limited(['ab'], [], 2)).toEqual({ text: 'ab', ended: null });
});
