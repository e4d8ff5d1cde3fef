import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { redact, redactBytes, redactFields, redactWords } from './redact.ts';

const key = 'the-server-key/of+this';

describe('a log line', () => {
  test('loses known secrets by value, unknown ones by shape', () => {
    const line =
      '{"a":"my secret value","b":"Bearer abcdef123","c":"sk-proj-abcdefgh_1-2","d":"eyJhbGciOiJI.eyJzdWIiOiIx.c2ln"}';
    expect(redact(line, ['my secret value'])).toBe(
      '{"a":"[redacted]","b":"Bearer [redacted]","c":"[redacted]","d":"[redacted]"}',
    );
  });

  test('keeps what is no key', () => {
    const line = '{"path":"/v1/models","task":"risk-assessment","id":"req_12345678","a":"eyJhbGciOiJI"}';
    expect(redact(line, [])).toBe(line);
  });

  test.each([
    ['x.sk-abcdefgh', 'x.[redacted]'],
    ['SESS-ABCDEFGHIJ', '[redacted]'],
    ['bearer \t abcdefgh', 'bearer \t [redacted]'],
    ['/v1/models/sk-abcdefghijk', '/v1/models/[redacted]'],
    ['a-eyJhbGciOiJI.eyJzdWIi', 'a-[redacted]'],
  ])('%s becomes %s', (line, expected) => expect(redact(line, [])).toBe(expected));
});

describe('the words of an upstream', () => {
  test.each([
    ['bad token Bearer KEY', 'bad token Bearer [redacted]'],
    ['see https://a/?k=ENCODED', '[redacted]'],
    ['see Basic BASE64', '[redacted]'],
    ['sk-someone-elses is refused', 'sk-someone-elses is refused'],
  ])('%s become %s', (words, expected) => {
    const text = words
      .replace('KEY', key)
      .replace('ENCODED', encodeURIComponent(key))
      .replace('BASE64', btoa(`u:${key}`));
    expect(redactWords(text, [key])).toBe(expected);
    expect(redactWords(text, [])).toBe(text);
  });
});

describe('a body', () => {
  const encode = (text: string) => new TextEncoder().encode(text);

  test('keeps its length', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(key, key.slice(0, 9), 'x', '模')), (parts) => {
        const bytes = encode(parts.join(''));
        const out = redactBytes(bytes, [key]);
        expect(out.length).toBe(bytes.length);
        const text = new TextDecoder().decode(out);
        expect(text).not.toContain(key);
        expect(text).toBe(parts.join('').replaceAll(key, '[redacted]'.padEnd(key.length, '*')));
      }),
    );
  });

  test('without a key is the same object', () => {
    const bytes = encode('{"error":"no"}');
    expect(redactBytes(bytes, [key])).toBe(bytes);
  });
});

test('a record loses the secrets of the request', () => {
  const record = { path: `/v1/models/${key}`, model: key, status: 404 };
  expect(redactFields(record, [key])).toEqual({
    path: '/v1/models/[redacted]',
    model: '[redacted]',
    status: 404,
  });
  const clean = { path: '/v1/models', model: null };
  expect(redactFields(clean, [key])).toBe(clean);
});
