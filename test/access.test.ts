import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type FakeUpstream, startFakeUpstream } from './fake-upstream.ts';
import { type Running, runtimes, startInWorkerd } from './gateways.ts';

let first: FakeUpstream;
let second: FakeUpstream;
beforeAll(async () => {
  [first, second] = await Promise.all([startFakeUpstream(), startFakeUpstream()]);
});
afterAll(async () => {
  await first.stop();
  await second.stop();
});
beforeEach(() => {
  first.clear();
  second.clear();
});

const access = 'an-access-key-of-the-team';

describe.each(runtimes)('on $name', ({ start }) => {
  describe('a server-side key behind access keys', () => {
    let gateway: Running;
    beforeAll(async () => {
      gateway = await start({
        OPENAI_BASE_URL: first.url,
        OPENAI_API_KEY: 'sk-server',
        ACCESS_KEYS: `${access},another-access-key`,
      });
    });
    afterAll(() => gateway.stop());

    test.each(['authorization', 'x-api-key', 'api-key'])(
      'is used for who presents one in %s; the access key stays here',
      async (name) => {
        const value = name === 'authorization' ? `Bearer ${access}` : access;
        const answer = await fetch(`${gateway.url}/v1/headers`, {
          headers: { [name]: value, 'openai-organization': 'org-of-the-caller' },
        });
        expect(answer.status).toBe(200);
        expect(first.last().headers.authorization).toBe('Bearer sk-server');
        expect(JSON.stringify(first.last().rawHeaders)).not.toMatch(/access-key|org-of-the-caller/);
      },
    );

    test('gives way to the caller’s own in x-openai-key', async () => {
      await fetch(`${gateway.url}/v1/headers`, {
        headers: { 'x-api-key': access, 'x-openai-key': 'sk-mine', 'openai-organization': 'org-mine' },
      });
      expect(first.last().headers).toMatchObject({
        authorization: 'Bearer sk-mine',
        'openai-organization': 'org-mine',
      });
    });

    test.each([
      [{}, 'access_key_required'],
      [{ authorization: 'Bearer sk-some-key' }, 'invalid_access_key'],
      [{ authorization: 'Bearer not needed' }, 'invalid_access_key'],
      [{ authorization: `Bearer ${access}x` }, 'invalid_access_key'],
    ])('is not used with %j: 401 %s', async (headers, code) => {
      const response = await fetch(`${gateway.url}/v1/headers`, {
        headers: headers as Record<string, string>,
      });
      expect([response.status, await response.json()]).toMatchObject([401, { error: { code } }]);
      expect(first.seen).toEqual([]);
    });

    test.each([
      '/v1/..%2fadmin',
      '/v1/x%2f..%2f..%2fadmin',
      '/v1/models/..%252fadmin',
      '/dashboard/..%2fadmin',
      '/v1/%c0%ae%c0%ae%2fadmin',
    ])('does not reach %s', async (path) => {
      const response = await fetch(gateway.url + path, { headers: { authorization: `Bearer ${access}` } });
      expect(response.status).toBe(400);
      expect(first.seen).toEqual([]);
    });

    test.each([
      ['x-goog-api-key', access],
      ['x-auth-token', `Token ${access}`],
      ['authentication', `Bearer ${access}`],
      ['x-original-authorization', `Basic ${btoa(`user:${access}`)}`],
      ['x-forwarded-access-token', access],
    ])('a second copy of the access key in %s is not relayed', async (name, value) => {
      const query = `key=${access}&a=%20&token=${access.replaceAll('-', '%2D')}`;
      const response = await fetch(`${gateway.url}/v1/headers?${query}`, {
        headers: { authorization: `Bearer ${access}`, [name]: value },
      });
      expect(response.status).toBe(200);
      expect(first.last().url).toBe('/v1/headers?a=%20');
      expect(first.last().headers).not.toHaveProperty(name);
    });
  });

  test('without access keys, a key with spaces is relayed or ignored', async () => {
    const own = await start({ OPENAI_BASE_URL: first.url });
    await fetch(`${own.url}/v1/headers`, { headers: { authorization: 'Bearer not needed' } });
    expect(first.last().headers.authorization).toBe('Bearer not needed');
    await fetch(`${own.url}/v1/headers`, { headers: { authorization: 'Basic dXNlcjpwYXNz' } });
    expect(first.last().headers.authorization).toBe('Basic dXNlcjpwYXNz');
    await own.stop();
    const server = await start({
      OPENAI_BASE_URL: first.url,
      OPENAI_API_KEY: 'sk-server',
      PUBLIC_RELAY: 'true',
    });
    const response = await fetch(`${server.url}/v1/headers`, { headers: { 'x-api-key': 'My API Key' } });
    expect(response.status).toBe(200);
    expect(first.last().headers.authorization).toBe('Bearer sk-server');
    await server.stop();
  });

  describe('a server-side key behind browser origins', () => {
    let gateway: Running;
    beforeAll(async () => {
      gateway = await start({
        OPENAI_BASE_URL: first.url,
        OPENAI_API_KEY: 'sk-server',
        ALLOWED_ORIGINS: 'https://chat.example',
      });
    });
    afterAll(() => gateway.stop());

    test.each([
      ['https://chat.example', 200],
      ['https://evil.example', 403],
      [undefined, 403],
    ])('%s → %d', async (origin, status) => {
      const answer = await fetch(`${gateway.url}/v1/headers`, { headers: origin ? { origin } : {} });
      expect(answer.status).toBe(status);
      expect(answer.headers.get('access-control-allow-origin')).toBe(
        status === 200 ? 'https://chat.example' : null,
      );
      expect(answer.headers.get('vary')).toContain('Origin');
    });
  });

  describe('several upstreams', () => {
    let gateway: Running;
    const start2 = async () => {
      const config = JSON.stringify({
        upstreams: {
          one: { kind: 'openai', url: first.url, key: 'sk-one' },
          two: { kind: 'openai', url: second.url, key: 'sk-two', models: ['llama*', 'fake-1'] },
        },
        models: { fast: { upstream: 'two', model: 'llama-3-8b' } },
        accessKeys: [access],
      });
      return start({ SLUICE_CONFIG: config });
    };
    beforeAll(async () => {
      gateway = await start2();
    });
    afterAll(() => gateway.stop());

    const ask = (model: unknown, path = '/v1/chat/completions') =>
      fetch(gateway.url + path, {
        method: 'POST',
        headers: { authorization: `Bearer ${access}`, 'content-type': 'application/json' },
        body: `{"seed":12345678901234567890, "model": ${JSON.stringify(model)}}`,
      });

    test('each model goes to the one that serves it, with that one’s key', async () => {
      await ask('gpt-4o');
      expect(first.last().headers.authorization).toBe('Bearer sk-one');
      await ask('llama-3-70b', '/v1/embeddings');
      expect(second.last()).toMatchObject({
        url: '/v1/embeddings',
        headers: { authorization: 'Bearer sk-two' },
      });
    });

    test('a name of one’s own becomes the upstream’s, the other bytes stay', async () => {
      const answer = await fetch(`${gateway.url}/v1/echo`, {
        method: 'POST',
        headers: { authorization: `Bearer ${access}`, 'content-type': 'application/json' },
        body: '{"seed":12345678901234567890, "model": "fast"}',
      });
      expect(await answer.text()).toBe('{"seed":12345678901234567890, "model": "llama-3-8b"}');
      expect(first.seen).toEqual([]);
    });

    test('the lists are one, each model at the upstream that serves it', async () => {
      const answer = await fetch(`${gateway.url}/v1/models`, {
        headers: { authorization: `Bearer ${access}` },
      });
      const { data } = (await answer.json()) as { data: { id: string; owned_by: string }[] };
      expect(data.map(({ id }) => id)).toEqual(['fast', 'fake-1']);
    });

    test.each([
      ['{"model":', 400],
      ['[]', 400],
      ['{}', 400],
      ['{"model":7}', 400],
    ])('%s is a %d', async (body, status) => {
      const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${access}`, 'content-type': 'application/json' },
        body,
      });
      expect(answer.status).toBe(status);
      expect(await answer.json()).toMatchObject({ error: { type: 'invalid_request_error' } });
    });

    test('a body that must be read and is too large is a 413', async () => {
      const small = await start({
        SLUICE_CONFIG: JSON.stringify({
          maxBodyBytes: 1000,
          upstreams: {
            one: { kind: 'openai', url: first.url },
            two: { kind: 'openai', url: second.url, models: ['x'] },
          },
        }),
      });
      for (const body of ['x'.repeat(2000), new Blob(['x'.repeat(2000)]).stream()]) {
        const answer = await fetch(`${small.url}/v1/chat/completions`, {
          method: 'POST',
          headers: { authorization: 'Bearer sk-own', 'content-type': 'application/json' },
          body,
          duplex: 'half',
        } as RequestInit);
        expect([answer.status, await answer.json()]).toMatchObject([
          413,
          { error: { code: 'body_too_large', message: expect.stringContaining('MAX_BODY_BYTES') } },
        ]);
      }
      await small.stop();
    });
  });

  test('an API prefix hides everything but health and the start page', async () => {
    const gateway = await start({ OPENAI_BASE_URL: first.url, API_PREFIX: 'secret-path' });
    const headers = { authorization: 'Bearer sk-own' };
    expect((await fetch(`${gateway.url}/secret-path/v1/headers`, { headers })).status).toBe(200);
    expect((await fetch(`${gateway.url}/v1/headers`, { headers })).status).toBe(404);
    expect((await fetch(`${gateway.url}/livez`)).status).toBe(200);
    expect(await (await fetch(gateway.url)).text()).not.toContain('secret-path');
    expect(await (await fetch(`${gateway.url}/secret-path`)).text()).toContain('/secret-path/v1');
    await gateway.stop();
  });
});

test('a Worker that is not configured rightly says so in each answer, and holds its tongue about values', async () => {
  const gateway = await startInWorkerd({ OPENAI_API_KEY: 'sk-canary' });
  const answer = await fetch(`${gateway.url}/v1/models`);
  const text = await answer.text();
  expect(answer.status).toBe(503);
  expect(text).toContain('PUBLIC_RELAY=true');
  expect(text).not.toContain('canary');
  await gateway.stop();
});
