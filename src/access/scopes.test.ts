import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { requireScope, type Scope, scopeOf } from './scopes.ts';

describe('a path needs a scope', () => {
  test.each([
    ['POST', '/v1/chat/completions', 'inference'],
    ['POST', '/v1/responses', 'inference'],
    ['GET', '/v1/responses', 'inference'],
    ['GET', '/v1/responses/resp_1', 'inference'],
    ['POST', '/v1/messages', 'inference'],
    ['POST', '/v1/embeddings', 'inference'],
    ['POST', '/v1/images/generations', 'inference'],
    ['POST', '/v1/audio/speech', 'inference'],
    ['POST', '/v1/engines/davinci/completions', 'inference'],
    ['GET', '/v1/realtime', 'inference'],
    ['GET', '/v1/models', 'inference'],
    ['GET', '/v1/models/org%2Fname', 'inference'],
    ['DELETE', '/v1/models/ft:gpt', 'all'],
    ['GET', '/v1/chat/completions', 'all'],
    ['DELETE', '/v1/chat/completions/chatcmpl-1', 'all'],
    ['GET', '/v1/files', 'files'],
    ['POST', '/v1/uploads', 'files'],
    ['GET', '/v1/vector_stores/vs_1/files', 'files'],
    ['POST', '/v1/batches', 'files'],
    ['GET', '/dashboard/billing/subscription', 'billing'],
    ['GET', '/v1/dashboard/billing/usage', 'billing'],
    ['POST', '/dashboard/billing/usage', 'all'],
    ['GET', '/dashboard/user/api_keys', 'all'],
    ['GET', '/v1/organization/costs', 'all'],
    ['POST', '/v1/fine_tuning/jobs', 'all'],
    ['GET', '/v1/assistants', 'all'],
    ['GET', '/v1/conversations', 'all'],
    ['GET', '/v1/anything-new', 'all'],
    ['GET', '/v1/', 'all'],
    ['POST', '/v1/', 'all'],
    ['POST', '/', 'inference'],
    ['PUT', '/image/upload', 'files'],
  ] as const)('%s %s: %s', (method, path, scope) => {
    expect(scopeOf(method, path)).toBe(scope);
  });
});

describe('a path is read as an upstream may read it', () => {
  test.each([
    ['/v1/%66iles', 'files'],
    ['/v1/%2566iles', 'files'],
    ['/v1/%2ffiles', 'files'],
    ['/v1//files', 'files'],
    ['/v1/v1/files', 'files'],
    ['/v1/%76%31/files', 'files'],
    ['/v1/openai/v1/files', 'files'],
    ['/v1/responses%2f..%2ffiles', 'all'],
    ['/v1/responses/../files', 'all'],
    ['/v1/responses;/../files', 'all'],
    ['/v1/files%3fa', 'all'],
    ['/v1/%ff', 'all'],
    ['/v1/%25252525252566iles', 'all'],
    ['/v1/models%00', 'all'],
  ] as const)('%s: %s', (path, scope) => {
    expect(scopeOf('GET', path)).toBe(scope);
  });

  test('escapes never lead to a smaller scope', () => {
    const escaped = (path: string, which: readonly boolean[]) =>
      [...path]
        .map((character, i) =>
          which[i % which.length] && character !== '/'
            ? `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`
            : character,
        )
        .join('');
    fc.assert(
      fc.property(
        fc.constantFrom(
          'files',
          'organization/costs',
          'dashboard/billing/usage',
          'fine_tuning/jobs',
          'models',
        ),
        fc.array(fc.boolean(), { minLength: 1 }),
        (path, which) => {
          expect(scopeOf('GET', `/v1/${escaped(path, which)}`)).toBe(scopeOf('GET', `/v1/${path}`));
        },
      ),
    );
  });
});

describe('a caller', () => {
  const status = (scopes: readonly Scope[], method: string, path: string) => {
    try {
      requireScope(scopes, method, path);
      return 200;
    } catch (error) {
      expect(error).toMatchObject({
        code: 'scope_not_allowed',
        message: expect.stringContaining('ACCESS_SCOPES'),
      });
      return (error as { status: number }).status;
    }
  };

  test.each([
    [['all'], 'GET', '/v1/organization/costs', 200],
    [['inference'], 'POST', '/v1/chat/completions', 200],
    [['inference'], 'GET', '/v1/files', 403],
    [['inference'], 'GET', '/v1/%66iles', 403],
    [['inference', 'files'], 'GET', '/v1/files', 200],
    [['inference', 'files', 'billing'], 'GET', '/v1/organization/costs', 403],
  ] as const)('with %j: %s %s → %d', (scopes, method, path, expected) => {
    expect(status(scopes, method, path)).toBe(expected);
  });
});
