import fc from 'fast-check';
import { expect, test } from 'vitest';
import { equalInConstantTime } from './constant-time.ts';

test('says what === says, for strings that are not empty', () => {
  fc.assert(
    fc.property(fc.string(), fc.string({ minLength: 1 }), (a, b) => {
      expect(equalInConstantTime(a, b)).toBe(a === b);
      expect(equalInConstantTime(b, b)).toBe(true);
    }),
  );
});

test('an empty secret matches nothing, itself included', () => {
  expect(equalInConstantTime('', '')).toBe(false);
  expect(equalInConstantTime('a', '')).toBe(false);
});

test('a repetition of the secret does not match it', () => {
  expect(equalInConstantTime('abab', 'ab')).toBe(false);
});
