import { expect, test } from 'vitest';
import { boundedCounter, estimateTokens } from './tokens.ts';

test('a counter sees short pieces only, and all of the text', () => {
  const seen: string[] = [];
  const count = boundedCounter((piece) => {
    seen.push(piece);
    return piece.length;
  });
  const text = `${'word '.repeat(500)}${'x'.repeat(3000)}`;
  expect(count(text)).toBe(text.length);
  expect(seen.join('')).toBe(text);
  expect(Math.max(...seen.map((piece) => piece.length))).toBeLessThanOrEqual(400);
});

test('what the tokenizer throws at is estimated', () => {
  const count = boundedCounter((piece) => {
    if (piece.includes('<|endoftext|>')) throw new Error('Disallowed special token found');
    return 1;
  });
  expect(count('the mark <|endoftext|> ends a text')).toBe(
    estimateTokens('the mark <|endoftext|> ends a text'),
  );
});

test('a text too long to count is estimated', () => {
  const count = boundedCounter(() => {
    throw new Error('it was counted');
  });
  const text = 'x'.repeat(10_000_000);
  expect(count(text)).toBe(estimateTokens(text));
});

test('an estimate grows with the text, and faster where a character says more', () => {
  expect(estimateTokens('')).toBe(0);
  expect(estimateTokens('a word or two')).toBeGreaterThan(estimateTokens('a word'));
  expect(estimateTokens('水闸水闸水闸')).toBeGreaterThan(estimateTokens('abcdef'));
});
