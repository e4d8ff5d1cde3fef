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

describe('what is no clear key is refused', () => {
  test.each([
    [['authorization', 'Bearer a', 'x-api-key', 'b'], 400],
    [['authorization', 'Bearer a', 'authorization', 'Bearer b'], 400],
    [['authorization', 'Bearer a, Bearer b'], 401],
    [['authorization', 'Bearer a,b'], 400],
    [['authorization', 'Bearer a', 'x-openai-key', 'b'], 400],
    [['x-openai-key', 'a', 'x-openai-key', 'b'], 400],
    [['authorization', 'Basic dXNlcjpwYXNz'], 401],
    [['authorization', `Bearer ' OR '1'='1`], 401],
    [['authorization', `Bearer ${'x'.repeat(1_000_000)}`], 401],
    [['authorization', 'Bearer a\u0000b'], 401],
  ])('%j → %d', (pairs, status) => {
    const failure = refusal(() => readCredentials(pairs as string[], []));
    expect(failure.status).toBe(status);
    expect(failure.message.length).toBeLessThan(300);
  });

  test('the same key twice is one key', () => {
    expect(readCredentials(['authorization', 'Bearer a', 'x-api-key', 'a'], []).ownKey).toBe('a');
  });

  test('a blank key is none', () => {
    expect(readCredentials(['authorization', 'Bearer ', 'x-api-key', ''], [])).toEqual(none);
  });
});

describe('with access keys', () => {
  const keys = ['first-access-key', 'second-access-key'];

  test.each(['authorization', 'x-api-key', 'api-key'])('one must be presented, in %s too', (name) => {
    const value = name === 'authorization' ? 'Bearer second-access-key' : 'second-access-key';
    expect(readCredentials([name, value], keys)).toEqual({ ...none, accessKey: 'second-access-key' });
  });

  test.each([
    [[]],
    [['authorization', 'Bearer sk-own']],
    [['authorization', 'Bearer first-access-ke']],
    [['authorization', 'Bearer first-access-keyx']],
    [['x-openai-key', 'first-access-key']],
  ])('%j is a 401', (pairs) => {
    expect(refusal(() => readCredentials(pairs, keys)).status).toBe(401);
  });

  test('x-openai-key may stand beside one', () => {
    expect(
      readCredentials(['authorization', 'Bearer first-access-key', 'x-openai-key', 'sk-1'], keys),
    ).toEqual({
      accessKey: 'first-access-key',
      ownKey: null,
      openaiKey: 'sk-1',
    });
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
