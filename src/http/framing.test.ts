import { expect, test } from 'vitest';
import { framingFault } from './framing.ts';

test.each([
  [['Host', 'a.example'], '1.1'],
  [['Host', 'a.example:8080', 'Transfer-Encoding', 'Chunked'], '1.1'],
  [['Host', '[::1]:8080'], '1.1'],
  [['Host', ''], '1.1'],
  [[], '1.0'],
])('%j in HTTP/%s is clear', (headers, version) => {
  expect(framingFault(headers, version)).toBe(null);
});

test.each([
  [['Host', 'a', 'host', 'b'], '1.1', 'two Host'],
  [['Host', 'a b'], '1.1', 'not a valid host'],
  [['Host', 'a/b'], '1.1', 'not a valid host'],
  [['Host', 'user@a'], '1.1', 'not a valid host'],
  [['Host', 'a'], '2.0', 'HTTP/1.1'],
  [[], '1.1', 'no Host'],
  [['Host', 'a', 'Transfer-Encoding', 'gzip, chunked'], '1.1', 'Transfer-Encoding'],
  [['Host', 'a', 'Transfer-Encoding', 'chunked, chunked'], '1.1', 'Transfer-Encoding'],
  [['Host', 'a', 'Transfer-Encoding', 'chunked', 'transfer-encoding', 'gzip'], '1.1', 'Transfer-Encoding'],
])('%j in HTTP/%s is a 400: %s', (headers, version, words) => {
  expect(framingFault(headers, version)).toMatchObject({
    status: 400,
    message: expect.stringContaining(words),
  });
});
