import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { holdsKey, searchWithout } from './key-in-text.ts';

const key = 'access-key/of+the~team';

describe('a key in a text', () => {
  test('is found in base64 at every position', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 20 }), fc.string({ maxLength: 20 }), (before, after) => {
        const bytes = new TextEncoder().encode(`${before}${key}${after}`);
        expect(holdsKey(btoa(String.fromCharCode(...bytes)), key)).toBe(true);
        expect(holdsKey(`${before}${key}${after}`, key)).toBe(true);
      }),
    );
  });

  test.each(['', 'application/json', `${key.slice(0, -1)}`, btoa('something else of the same length')])(
    'is not found in %j',
    (text) => expect(holdsKey(text, key)).toBe(false),
  );

  test('that is short is not searched for', () => expect(holdsKey('chat', 'chat')).toBe(false));
});

test.each([
  ['', ''],
  ['?', '?'],
  ['?a=b&c=%20', '?a=b&c=%20'],
  [`?key=${key}`, ''],
  [`?a=1&key=${encodeURIComponent(key)}&b=%20`, '?a=1&b=%20'],
  [`?${key}=1&b`, '?b'],
])('the query %s goes on as %s', (search, expected) => {
  expect(searchWithout(search, key)).toBe(expected);
  expect(searchWithout(search, null)).toBe(search);
});
