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

describe('if callers bring their own key', () => {
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
  const local = { host: '127.0.0.1:8080' };
  test.each([
    [local, 200],
    [{ host: 'localhost:8080' }, 200],
    [{ host: 'LOCALHOST' }, 200],
    [{ host: '[::1]:8080' }, 200],
    [{ host: '127.255.0.1' }, 200],
    [{ host: 'rebound.evil.example:8080' }, 403],
    [{ host: '127.0.0.1.evil.example' }, 403],
    [{ host: '127.999.999.999' }, 403],
    [{ host: '127.0.0.1:65536' }, 403],
    [{ host: '127.0.0.1:99999' }, 403],
    [{ host: '127.0.0.1@evil.example' }, 403],
    [{}, 403],
    [{ ...local, origin: 'https://evil.example' }, 403],
    [{ ...local, origin: 'null' }, 403],
    [{ ...local, origin: 'http://127.0.0.1:8080' }, 200],
    [{ ...local, origin: 'http://127.0.0.1:3000' }, 403],
    [{ host: 'evil.example', origin: 'http://evil.example' }, 403],
    [{ ...local, 'sec-fetch-site': 'none' }, 200],
    [{ ...local, 'sec-fetch-site': 'same-origin' }, 200],
    [{ ...local, 'sec-fetch-site': 'same-site' }, 403],
    [{ ...local, 'sec-fetch-site': 'cross-site' }, 403],
  ])('%j → %d', (headers, expected) => {
    expect(status(rules, headers as Record<string, string>)).toBe(expected);
  });

  test.each([
    'x-forwarded-for',
    'x-forwarded-host',
    'x-forwarded-proto',
    'X-Forwarded-Server',
    'forwarded',
    'via',
    'x-real-ip',
    'cf-connecting-ip',
    'true-client-ip',
  ])('a proxy that sends %s is refused, whatever Host it sends', (name) => {
    expect(status(rules, { host: 'localhost', [name]: '127.0.0.1' })).toBe(403);
  });

  test('two Host headers are refused', () => {
    const head = headOf('GET', '/v1/x', local);
    const twice = { ...head, rawHeaders: [...head.rawHeaders, 'Host', 'evil.example'] };
    expect(() => admitOrigin(twice, rules)).toThrow(expect.objectContaining({ status: 403 }));
  });

  test('PUBLIC_RELAY lets everyone in', () => {
    expect(
      status(originRules({ ...open, publicRelay: true }, true), {
        origin: 'https://any.example',
        host: 'x.example',
      }),
    ).toBe(200);
  });
});

describe('a private upstream without a key, behind a gateway on loopback', () => {
  const ollama = { ollama: { url: 'http://192.168.1.5:11434/v1', keys: [] } };
  const settings = { ...open, host: '127.0.0.1', upstreams: ollama };
  const local = { host: '127.0.0.1:8080' };

  test.each([
    [local, 200],
    [{ host: 'localhost:8080', origin: 'http://localhost:3000' }, 200],
    [{ ...local, origin: 'http://127.0.0.1:5173' }, 200],
    [{ ...local, origin: 'tauri://localhost' }, 200],
    [{ ...local, origin: 'vscode-webview://1a2b' }, 200],
    [{ host: 'host.docker.internal:8080' }, 200],
    [{ host: 'nas.local' }, 200],
    [{ ...local, 'sec-fetch-site': 'same-site' }, 200],
    [{ ...local, origin: 'https://evil.example' }, 403],
    [{ ...local, origin: 'http://127.0.0.1.evil.example' }, 403],
    [{ ...local, origin: 'http://127.0.0.1:80@evil.example' }, 403],
    [{ ...local, origin: 'null' }, 403],
    [{ host: 'rebound.evil.example:8080' }, 403],
    [{ host: 'rebound.evil.example', origin: 'http://rebound.evil.example' }, 403],
    [{ ...local, 'sec-fetch-site': 'cross-site' }, 403],
  ])('%j → %d', (headers, expected) => {
    expect(status(originRules(settings, false), headers as Record<string, string>)).toBe(expected);
  });

  const evil = { host: 'rebound.example', origin: 'https://evil.example' };
  test.each([
    [{ ...evil, authorization: 'Bearer sk-own' }, 200],
    [{ ...evil, 'x-api-key': 'sk-own' }, 200],
    [{ ...evil, 'sec-websocket-protocol': 'realtime, openai-insecure-api-key.sk-own' }, 200],
    [{ ...evil, authorization: ' ' }, 403],
    [{ ...evil, 'sec-websocket-protocol': 'realtime' }, 403],
  ])('a caller with a key may call from anywhere: %j → %d', (headers, expected) => {
    expect(status(originRules(settings, false), headers as Record<string, string>)).toBe(expected);
  });

  test.each([
    ['content-type, authorization', 200],
    ['content-type', 403],
  ])('a preflight that asks to send %s gets a %d', (names, expected) => {
    const preflight = headOf('OPTIONS', '/v1/x', { ...evil, 'access-control-request-headers': names });
    const admit = () => admitOrigin(preflight, originRules(settings, false));
    if (expected === 200) expect(admit).not.toThrow();
    else expect(admit).toThrow(expect.objectContaining({ status: expected }));
  });

  test.each([
    ['another address', { ...settings, host: '0.0.0.0' }],
    ['a Worker', { ...settings, host: '' }],
    ['a public upstream', { ...settings, upstreams: { a: { url: 'https://api.example/v1', keys: [] } } }],
    ['any origin allowed', { ...settings, allowedOrigins: ['*'] }],
    ['access keys', { ...settings, accessKeys: ['k'] }],
    ['PUBLIC_RELAY', { ...settings, publicRelay: true }],
  ])('with %s any page may call', (_, other) => {
    expect(status(originRules(other, false), { host: 'a.example', origin: 'https://b.example' })).toBe(200);
  });

  test('the own public address may call', () => {
    const rules = originRules({ ...settings, publicUrl: 'https://llm.example' }, false);
    expect(status(rules, { host: 'llm.example', origin: 'https://llm.example' })).toBe(200);
    expect(status(rules, { host: 'llm.example' })).toBe(200);
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
