import { expect, test } from 'vitest';
import { anonymous, createCallers, identify, owner } from './caller.ts';

const keys = [
  { name: 'alice', key: 'key-of-alice-is-long' },
  { name: null, key: 'key-without-a-name' },
];
const none = { accessKey: null, ownKey: null, openaiKey: null };
const settings = { accessKeys: keys, accessScopes: ['inference'] as const };

test('an access key makes the caller of its entry, which holds no key', () => {
  const callers = createCallers(settings, { serverKey: true, isLocalOnly: false });
  const alice = identify({ ...none, accessKey: 'key-of-alice-is-long', openaiKey: 'sk-own' }, callers);
  expect(alice).toMatchObject({ id: 'alice', name: 'alice', keyId: 'alice', scopes: ['inference'] });
  const second = identify({ ...none, accessKey: 'key-without-a-name' }, callers);
  expect(second).toMatchObject({ id: 'access-key-2', keyId: 'access-key-2' });
  expect(JSON.stringify([alice, second])).not.toContain('key-without-a-name');
});

test('identifying twice gives the same object', () => {
  const callers = createCallers(settings, { serverKey: true, isLocalOnly: false });
  const credentials = { ...none, accessKey: 'key-of-alice-is-long' };
  expect(identify(credentials, callers)).toBe(identify(credentials, callers));
});

test.each([
  ['a program on this machine is the owner', { serverKey: true, isLocalOnly: true }, none, owner],
  [
    'a caller without a server-side key is anonymous',
    { serverKey: false, isLocalOnly: false },
    none,
    anonymous,
  ],
  [
    'a caller with its own key is anonymous',
    { serverKey: true, isLocalOnly: false },
    { ...none, openaiKey: 'sk-own' },
    anonymous,
  ],
] as const)('%s', (_, guard, credentials, expected) => {
  expect(identify(credentials, createCallers({ ...settings, accessKeys: [] }, guard))).toBe(expected);
});

test('anyone who spends the server-side key has the scopes of the settings', () => {
  const callers = createCallers({ ...settings, accessKeys: [] }, { serverKey: true, isLocalOnly: false });
  expect(identify({ ...none, ownKey: 'sk-ignored' }, callers)).toMatchObject({
    id: 'anonymous',
    scopes: ['inference'],
  });
});
