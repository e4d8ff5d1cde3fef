import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createPeek } from './peek.ts';

const encode = (text: string) => new TextEncoder().encode(text);
const chunk = 'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n';

test.each([
  ['a chunk', chunk, 'keep'],
  ['an error', 'data: {"error":{"message":"overloaded"}}\n\n', 'error'],
  ['an error by name', 'event: error\ndata: {"message":"x"}\n\n', 'error'],
  ['an error by type', 'data: {"type":"error","error":{"message":"x"}}\n\n', 'error'],
  ['an error that is text', 'event: error\r\ndata: overloaded\r\n\r\n', 'error'],
  ['a chunk that says there is none', 'data: {"error":null,"choices":[]}\n\n', 'keep'],
  ['a chunk with an error in it', 'data: {"error":{"message":"x"},"choices":[{}]}\n\n', 'keep'],
  ['the end', 'data: [DONE]\n\n', 'keep'],
  ['no JSON', 'data: hello\n\n', 'keep'],
  ['a comment, and then an error', ': PROCESSING\n\ndata: {"error":"x"}\n\n', 'error'],
  ['a comment, and then a chunk', `: PROCESSING\n\n${chunk}`, 'keep'],
  ['a comment alone', ': PROCESSING\n\n', 'more'],
  ['half an event', 'data: {"err', 'more'],
  ['nothing', '', 'more'],
  [
    'an event of another kind first',
    'event: response.created\ndata: {"type":"response.created"}\n\n',
    'keep',
  ],
])('%s', (_, text, wanted) => {
  expect(createPeek().push(encode(text))).toBe(wanted);
});

test('is the same however the bytes are cut, and gives all of them back', () => {
  const text = ': hello 图\n\nevent: error\ndata: {"error":{"message":"图"}}\n\n';
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (sizes) => {
      const peek = createPeek();
      const bytes = encode(text);
      let said = 'more';
      for (let at = 0, i = 0; at < bytes.length; i++) {
        const size = sizes[i % sizes.length] ?? 1;
        said = peek.push(bytes.slice(at, at + size));
        at += size;
      }
      expect(said).toBe('error');
      expect(new TextDecoder().decode(new Uint8Array(peek.take().flatMap((part) => [...part])))).toBe(text);
    }),
  );
});

test('looks at so much and no more', () => {
  const peek = createPeek();
  let said = 'more';
  for (let i = 0; i < 20 && said === 'more'; i++) said = peek.push(new Uint8Array(1024).fill(120));
  expect(said).toBe('keep');
});
