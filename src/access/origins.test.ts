import { describe, expect, test } from 'vitest';
import { headOf } from '../../test/head.ts';
import { admitOrigin, corsHeaders, isPreflight, originRules, preflightHeaders } from './origins.ts';

const open = { accessKeys: [], allowedOrigins: [], publicRelay: false };

function status(rules: ReturnType<typeof originRules>, headers: Record<string, string>): number {
  try {
    admitOrigin(headOf('POST', '/v1/x', headers), rules);
    return 200;
  } catch (error) {
    return (error as { status: number }).status;
  }
}

describe('where callers bring their own key', () => {
  const rules = originRules(open, false);
  test('any origin may call', () => {
    expect(status(rules, { origin: 'https://chat.example' })).toBe(200);
    expect(status(rules, {})).toBe(200);
    expect(corsHeaders(headOf('GET', '/', {}), rules)).toContain('*');
  });
});

describe('with ALLOWED_ORIGINS as the only guard of a server-side key', () => {
  const rules = originRules(
    { ...open, allowedOrigins: ['https://chat.example'], publicUrl: 'https://gate.example/x' },
    true,
  );
  test.each([
    [{ origin: 'https://chat.example' }, 200],
    [{ origin: 'HTTPS://CHAT.example' }, 200],
    [{ origin: 'https://gate.example' }, 200],
    [{ origin: 'https://evil.example' }, 403],
    [{ origin: 'https://chat.example.evil.example' }, 403],
    [{ origin: 'http://chat.example' }, 403],
    [{ origin: 'null' }, 403],
    [{}, 403],
  ])('%j → %d', (headers, expected) => {
    expect(status(rules, headers as Record<string, string>)).toBe(expected);
  });

  test('only an allowed origin is named in the answer', () => {
    expect(corsHeaders(headOf('GET', '/', { origin: 'https://chat.example' }), rules)).toContain(
      'https://chat.example',
    );
    expect(corsHeaders(headOf('GET', '/', { origin: 'https://evil.example' }), rules)).toEqual([
      'vary',
      'Origin',
    ]);
  });
});

test('with access keys too, programs without an origin may call', () => {
  const rules = originRules({ ...open, accessKeys: ['k'], allowedOrigins: ['https://chat.example'] }, true);
  expect(status(rules, {})).toBe(200);
  expect(status(rules, { origin: 'https://evil.example' })).toBe(403);
});

describe('a server-side key that only the loopback address guards', () => {
  const rules = originRules(open, true);
  test.each([
    [{ host: '127.0.0.1:8080' }, 200],
    [{ host: 'localhost:8080' }, 200],
    [{ host: '[::1]:8080' }, 200],
    [{ host: 'rebound.evil.example:8080' }, 403],
    [{ host: '127.0.0.1:8080', origin: 'https://evil.example' }, 403],
    [{ host: '127.0.0.1:8080', origin: 'http://127.0.0.1:8080' }, 200],
    [{ host: 'evil.example', origin: 'http://evil.example' }, 403],
  ])('%j → %d', (headers, expected) => {
    expect(status(rules, headers)).toBe(expected);
  });

  test('PUBLIC_RELAY lets everybody in', () => {
    expect(
      status(originRules({ ...open, publicRelay: true }, true), {
        origin: 'https://any.example',
        host: 'x.example',
      }),
    ).toBe(200);
  });
});

test('a preflight gets back the headers it asks for', () => {
  const asked = 'authorization,content-type,x-stainless-lang,x-stainless-retry-count';
  const head = headOf('OPTIONS', '/v1/x', {
    origin: 'https://a.example',
    'access-control-request-method': 'POST',
    'access-control-request-headers': asked,
  });
  expect(isPreflight(head)).toBe(true);
  expect(preflightHeaders(head)).toContain(asked);
  expect(isPreflight(headOf('OPTIONS', '/v1/x', {}))).toBe(false);
});
