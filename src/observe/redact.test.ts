import { expect, test } from 'vitest';
import { redact } from './redact.ts';

test('known secrets go by value, unknown ones by shape', () => {
  const line =
    '{"a":"my secret value","b":"Bearer abcdef123","c":"sk-proj-abcdefgh_1-2","d":"eyJhbGciOiJI.eyJzdWIiOiIx.c2ln"}';
  expect(redact(line, ['my secret value'])).toBe(
    '{"a":"[redacted]","b":"Bearer [redacted]","c":"[redacted]","d":"[redacted]"}',
  );
});

test('what is no key stays', () => {
  const line = '{"path":"/v1/models","task":"risk-assessment","id":"req_12345678"}';
  expect(redact(line, [])).toBe(line);
});
