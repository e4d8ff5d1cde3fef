import { describe, expect, test } from 'vitest';
import { guardedFetch } from './guarded-fetch.ts';

type Asked = { url: string; init: RequestInit; allowPrivate: boolean };

/** A machine whose network answers as told, and what it was asked. */
function network(answers: Readonly<Record<string, () => Response | Promise<Response>>>) {
  const asked: Asked[] = [];
  return {
    asked,
    fetchPublic: async (url: URL, init: RequestInit, allowPrivate: boolean) => {
      asked.push({ url: url.href, init, allowPrivate });
      return (answers[url.href] ?? (() => new Response('here')))();
    },
  };
}

const to =
  (location: string, status = 302) =>
  () =>
    new Response(null, { status, headers: { location } });
const options = { allow: new Set(['127.0.0.1:9000', 'files.lan:443']), timeoutSeconds: 5 };

describe('the one way to an address from a stranger', () => {
  test('fetches from the open internet, with nothing of the caller in it', async () => {
    const net = network({});
    const answer = await guardedFetch(net, 'https://example.com/a.png?x=1', options);
    expect(await answer.text()).toBe('here');
    expect(net.asked).toMatchObject([{ url: 'https://example.com/a.png?x=1', allowPrivate: false }]);
    expect(Object.keys(net.asked[0]?.init.headers ?? {}).sort()).toEqual([
      'accept',
      'accept-encoding',
      'user-agent',
    ]);
  });

  test.each([
    'file:///etc/passwd',
    'ftp://example.com/a',
    'gopher://example.com:70/_x',
    'javascript:alert(1)',
    'data:text/plain,x',
    'blob:https://example.com/x',
    'ws://example.com/',
    'not an address',
    '//example.com/a',
    '',
    'http://',
    'http://user:password@example.com/',
    'http://user@example.com/',
    'http://localhost/',
    'http://127.0.0.1/',
    'http://127.0.0.1:9001/',
    'http://[::1]/',
    'http://[::ffff:7f00:1]/',
    'http://0/',
    'http://0x7f000001/',
    'http://0177.0.0.1/',
    'http://2130706433/',
    'http://127.1/',
    'http://１２７.０.０.１/',
    'http://127。0。0。1/',
    'http://169.254.169.254/latest/meta-data/',
    'http://metadata.google.internal/',
    `http://example.com/${'a'.repeat(9000)}`,
  ])('never asks %s', async (address) => {
    const net = network({});
    await expect(guardedFetch(net, address, options)).rejects.toMatchObject({ code: 'invalid_request' });
    expect(net.asked).toEqual([]);
  });

  test('makes the exceptions that the owner makes, by host and port', async () => {
    const net = network({});
    await guardedFetch(net, 'http://127.0.0.1:9000/a', options);
    await guardedFetch(net, 'https://files.lan/a', options);
    expect(net.asked.map(({ allowPrivate }) => allowPrivate)).toEqual([true, true]);
    await expect(guardedFetch(net, 'http://files.lan/a', options)).rejects.toThrow('FILE_FETCH_ALLOW');
  });

  test('looks at each redirect again', async () => {
    const net = network({
      'https://a.example/1': to('/2'),
      'https://a.example/2': to('https://b.example/3', 307),
      'https://b.example/3': to('http://169.254.169.254/latest/'),
    });
    await expect(guardedFetch(net, 'https://a.example/1', options)).rejects.toThrow('private or local');
    expect(net.asked.map(({ url }) => url)).toEqual([
      'https://a.example/1',
      'https://a.example/2',
      'https://b.example/3',
    ]);
  });

  test('an exception does not reach beyond a redirect', async () => {
    const net = network({ 'http://127.0.0.1:9000/a': to('http://127.0.0.1:9001/b') });
    await expect(guardedFetch(net, 'http://127.0.0.1:9000/a', options)).rejects.toThrow('private or local');
    expect(net.asked).toHaveLength(1);
  });

  test('follows only so many', async () => {
    const net = network({ 'https://a.example/': to('https://a.example/') });
    await expect(guardedFetch(net, 'https://a.example/', options)).rejects.toThrow('redirects too often');
    expect(net.asked).toHaveLength(6);
  });

  test('hands on an answer without a place to go', async () => {
    const net = network({ 'https://a.example/': () => new Response(null, { status: 302 }) });
    expect((await guardedFetch(net, 'https://a.example/', options)).status).toBe(302);
  });

  test('waits only so long', async () => {
    const net = network({ 'https://a.example/': () => new Promise<Response>(() => {}) });
    await expect(
      guardedFetch(net, 'https://a.example/', { ...options, timeoutSeconds: 0.1 }),
    ).rejects.toMatchObject({ code: 'upstream_timeout' });
  });

  test('does not follow where it puts something', async () => {
    const net = network({ 'https://a.example/': to('https://b.example/') });
    const answer = await guardedFetch(net, 'https://a.example/', options, {
      method: 'PUT',
      body: new Uint8Array(1),
    });
    expect(answer.status).toBe(302);
    expect(net.asked).toHaveLength(1);
  });
});
