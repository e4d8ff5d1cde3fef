import { describe, expect, test } from 'vitest';
import { Failure } from '../http/failure.ts';
import { keyFor, readCredentials } from './credentials.ts';

const none = { accessKey: null, ownKey: null, openaiKey: null };

function refusal(act: () => unknown): Failure {
  try {
    act();
  } catch (error) {
    if (error instanceof Failure) return error;
  }
  throw new Error('nothing was refused');
}

describe('a key is taken from', () => {
  test.each([
    ['Authorization', 'Bearer sk-1'],
    ['authorization', 'bearer   sk-1'],
    ['X-Api-Key', 'sk-1'],
    ['api-key', 'sk-1'],
    ['Sec-WebSocket-Protocol', 'realtime, openai-insecure-api-key.sk-1, openai-beta.realtime-v1'],
  ])('%s: %s', (name, value) => {
    expect(readCredentials([name, value], [])).toEqual({ ...none, ownKey: 'sk-1' });
  });

  test('x-openai-key, apart from the others', () => {
    expect(readCredentials(['x-openai-key', 'sk-1'], [])).toEqual({ ...none, openaiKey: 'sk-1' });
  });
});

describe('without access keys any key is kept as it came', () => {
  test.each([
    [['authorization', 'Bearer not needed'], 'not needed'],
    [['authorization', 'bearer My API Key'], 'My API Key'],
    [['x-api-key', 'not needed for a local LLM'], 'not needed for a local LLM'],
    [['authorization', 'Basic dXNlcjpwYXNz'], 'Basic dXNlcjpwYXNz'],
    [['authorization', 'sk-without-a-scheme'], 'sk-without-a-scheme'],
    [['authorization', "Bearer ' OR '1'='1"], "' OR '1'='1"],
    [['authorization', 'Bearer a,b'], 'a,b'],
    [['authorization', `Bearer ${'x'.repeat(60_000)}`], 'x'.repeat(60_000)],
    [['sec-websocket-protocol', 'OpenAI-Insecure-Api-Key.sk-1'], 'sk-1'],
  ])('%j', (rawHeaders, ownKey) => {
    expect(readCredentials(rawHeaders, [])).toEqual({ ...none, ownKey });
  });

  test('the same key twice is one key', () => {
    expect(readCredentials(['authorization', 'Bearer a', 'x-api-key', 'a'], []).ownKey).toBe('a');
  });

  test('a blank key is no key', () => {
    expect(readCredentials(['authorization', 'Bearer ', 'x-api-key', ''], [])).toEqual(none);
  });
});

describe('refuses', () => {
  test.each([
    [['authorization', 'Bearer a', 'x-api-key', 'b'], 400],
    [['authorization', 'Bearer a', 'authorization', 'Bearer b'], 400],
    [['authorization', 'Bearer a, Bearer b'], 400],
    [['authorization', 'Bearer a', 'x-openai-key', 'b'], 400],
    [['x-openai-key', 'a', 'x-openai-key', 'b'], 400],
    [['authorization', 'Bearer a\u0000b'], 401],
    [['x-api-key', 'a\r\nb'], 401],
  ])('%j with %d', (rawHeaders, status) => {
    const failure = refusal(() => readCredentials(rawHeaders as string[], []));
    expect(failure.status).toBe(status);
    expect(failure.message.length).toBeLessThan(300);
  });
});

describe('with access keys', () => {
  const keys = [
    { name: null, key: 'first-access-key' },
    { name: 'bob', key: 'second-access-key' },
  ];

  test.each(['authorization', 'x-api-key', 'api-key'])('one must be presented, also in %s', (name) => {
    const value = name === 'authorization' ? 'Bearer second-access-key' : 'second-access-key';
    expect(readCredentials([name, value], keys)).toEqual({ ...none, accessKey: 'second-access-key' });
  });

  test.each([
    [[], 'access_key_required'],
    [['authorization', 'Bearer '], 'access_key_required'],
    [['x-openai-key', 'first-access-key'], 'access_key_required'],
    [['authorization', 'Bearer sk-own'], 'invalid_access_key'],
    [['authorization', 'Bearer not needed'], 'invalid_access_key'],
    [['authorization', 'Basic first-access-key'], 'invalid_access_key'],
    [['authorization', 'Bearer first-access-ke'], 'invalid_access_key'],
    [['authorization', 'Bearer first-access-keyx'], 'invalid_access_key'],
    [['authorization', 'Bearer bob=second-access-key'], 'invalid_access_key'],
  ])('%j is a 401 %s', (rawHeaders, code) => {
    expect(refusal(() => readCredentials(rawHeaders, keys))).toMatchObject({ status: 401, code });
  });

  test('x-openai-key may stand beside one', () => {
    expect(
      readCredentials(['authorization', 'Bearer first-access-key', 'x-openai-key', 'sk-1'], keys),
    ).toEqual({ accessKey: 'first-access-key', ownKey: null, openaiKey: 'sk-1' });
  });

  test('an access key never becomes the key for the upstream', () => {
    const credentials = readCredentials(
      ['authorization', 'Bearer first-access-key', 'x-openai-key', 'second-access-key'],
      keys,
    );
    const failure = refusal(() => keyFor(credentials, undefined, 'OPENAI_API_KEY'));
    expect(failure.status).toBe(401);
    expect(failure.message).toContain('OPENAI_API_KEY');
    expect(failure.message).not.toContain('access-key');
  });
});

describe('the key for an upstream', () => {
  test('is x-openai-key before the server-side key before the own key', () => {
    expect(keyFor({ accessKey: null, ownKey: 'own', openaiKey: 'x' }, 'server', 'S')).toEqual({
      key: 'x',
      own: true,
    });
    expect(keyFor({ accessKey: null, ownKey: 'own', openaiKey: null }, 'server', 'S')).toEqual({
      key: 'server',
      own: false,
    });
    expect(keyFor({ accessKey: null, ownKey: 'own', openaiKey: null }, undefined, 'S')).toEqual({
      key: 'own',
      own: true,
    });
    expect(refusal(() => keyFor(none, undefined, 'S')).message).toContain('set S');
  });

  test('is none where the upstream asks for none', () => {
    expect(keyFor(none, null, 'S')).toEqual({ key: null, own: false });
  });
});
