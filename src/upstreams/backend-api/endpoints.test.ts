import { expect, test } from 'vitest';
import type { Call } from '../../call.ts';
import type { Ports } from '../../ports/ports.ts';
import { createEndpoints } from './endpoints.ts';

const call = (ownKey: string, account?: string) =>
  ({
    credentials: { accessKey: null, ownKey, openaiKey: null },
    incoming: { head: { get: (name: string) => (name === 'chatgpt-account-id' ? account : undefined) } },
  }) as unknown as Call;

const timeouts = { connect: 1, firstByte: 1, idle: 1, total: 0 };

const endpoint = (keys: readonly string[], asked: Call) =>
  createEndpoints({ name: 'backend', bases: ['http://p'], keys, timeouts }, {} as Ports)(asked)[0];

test.each([
  ['token,0f3a-account', undefined, 'token', '0f3a-account'],
  ['token,0f3a-account', 'from-header', 'token', 'from-header'],
  ['token', 'from-header', 'token', 'from-header'],
  ['token', undefined, 'token', null],
  ['a,b,c', undefined, 'a,b,c', null],
])('the key %s with the header %s is the token %s of account %s', (key, header, token, account) => {
  expect(endpoint([], call(key, header))).toMatchObject({ key: { key: token }, account });
});

test('a caller chooses no account of a server-side key', () => {
  expect(endpoint(['server,key'], call('token,account', 'from-header'))).toMatchObject({
    key: { key: 'server,key', own: false },
    account: null,
  });
});

test('a missing key names the setting', () => {
  const none = { ...call('x'), credentials: { accessKey: 'a', ownKey: null, openaiKey: null } } as Call;
  expect(() => endpoint([], none)).toThrow('BACKEND_API_KEY');
});
