import { describe, expect, test } from 'vitest';
import { parseTarget, placeOf } from './request-target.ts';

describe('a request target', () => {
  test.each([
    ['/v1/models?a=b&c=%20', '/v1/models', '?a=b&c=%20'],
    ['http://elsewhere.example/v1/models?x', '/v1/models', '?x'],
    ['HTTPS://elsewhere.example', '/', ''],
    ['http://elsewhere.example?x=1', '/', '?x=1'],
    ['/v1/files/a%2Fb', '/v1/files/a%2Fb', ''],
    ['/v1/models/org%252Fname', '/v1/models/org%252Fname', ''],
    ['/v1/models/gpt-4.1..x', '/v1/models/gpt-4.1..x', ''],
    ['/v1/models/.hidden%2F..x', '/v1/models/.hidden%2F..x', ''],
    ['/v1/models/100%25', '/v1/models/100%25', ''],
    ['/v1/models/%E6%A8%A1', '/v1/models/%E6%A8%A1', ''],
    ['/v1/x?y=/../z', '/v1/x', '?y=/../z'],
    ['//v1/models', '//v1/models', ''],
  ])('%s is read as it stands', (target, path, search) => {
    expect(parseTarget(target)).toEqual({ path, search });
  });

  test.each([
    '/v1/../admin',
    '/v1/%2e%2e/admin',
    '/v1/.%2E/admin',
    '/v1/./models',
    '/v1/..',
    '/v1/..;/admin',
    '/v1\\models',
    '/v1/%5cmodels',
    '/v1/..%2fadmin',
    '/v1/..%2Fadmin',
    '/v1/%2e%2e%2fadmin',
    '/v1/x%2f..%2f..%2fadmin',
    '/v1/models/..%2f..%2fadmin',
    '/v1/models%2f..',
    '/v1/models%2f.%2e',
    '/dashboard/..%2fadmin',
    '/v1/%2e%3b/admin',
    '/v1/..%3bx=y/admin',
    '/v1/..%3fx',
    '/v1/..%23x',
    '/v1/..%252fadmin',
    '/v1/%252e%252e/admin',
    '/v1/..%25252fadmin',
    `/v1/%${'25'.repeat(9)}2fadmin`,
    '/v1/%c0%ae%c0%ae/admin',
    '/v1/..%c0%afadmin',
    '/v1/a%255cb',
    '/v1/a%7fb',
    '/v1/a%00b',
    '/v1/a%0d%0ab',
    '/v1/a b',
    '/v1/模型',
    '/v1/#x',
    '/v1/x?a=#b',
    '*',
    'elsewhere.example:443',
    'ftp://elsewhere.example/',
    '',
  ])('%j is refused with a 400', (target) => {
    expect(() => parseTarget(target)).toThrow(expect.objectContaining({ status: 400 }));
  });
});

describe('a base URL in any of its forms leads to the same place', () => {
  test.each([
    '/v1/chat/completions',
    '/chat/completions',
    '//v1//chat/completions',
    '/v1/v1/chat/completions',
    '/openai/v1/chat/completions',
    '/openai/chat/completions',
  ])('%s', (path) => {
    expect(placeOf(path, 'POST', '')).toEqual({ kind: 'api', path: '/v1/chat/completions' });
  });

  test('billing lives beside the API and inside it', () => {
    expect(placeOf('/dashboard/billing/usage', 'GET', '').path).toBe('/dashboard/billing/usage');
    expect(placeOf('/v1/dashboard/billing/usage', 'GET', '').path).toBe('/v1/dashboard/billing/usage');
  });

  test.each(['/projects/p/roles', '/chatkit/threads', '/content_provenance_checks', '/files/file-abc'])(
    '%s without /v1 is part of the API',
    (path) => {
      expect(placeOf(path, 'GET', '')).toEqual({ kind: 'api', path: `/v1${path}` });
      expect(placeOf(path, 'GET', 'secret').kind).toBe('none');
    },
  );

  test('GET /files/{name} is a stored file, POST /files an upload to the API', () => {
    expect(placeOf('/files/abc.png', 'GET', '').kind).toBe('local');
    expect(placeOf('/files', 'POST', '')).toEqual({ kind: 'api', path: '/v1/files' });
  });
});

describe('under an API prefix', () => {
  test.each([
    ['/secret/v1/models', 'GET', 'api', '/v1/models'],
    ['/secret/models', 'GET', 'api', '/v1/models'],
    ['//secret//v1/models', 'GET', 'api', '/v1/models'],
    ['/secret', 'POST', 'local', '/'],
    ['/livez', 'GET', 'local', '/livez'],
    ['/', 'GET', 'local', '/'],
    ['/', 'POST', 'none', '/'],
    ['/v1/models', 'GET', 'none', '/v1/models'],
    ['/models', 'GET', 'none', '/models'],
    ['/openai/v1/models', 'GET', 'none', '/openai/v1/models'],
    ['/dashboard/x', 'GET', 'none', '/dashboard/x'],
    ['/secretive/v1/models', 'POST', 'none', '/secretive/v1/models'],
  ] as const)('%s %s → %s %s', (path, method, kind, canonical) => {
    expect(placeOf(path, method, 'secret')).toEqual({ kind, path: canonical });
  });
});
