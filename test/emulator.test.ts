import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Running, runtimes } from './gateways.ts';

/** A gateway without upstreams, as a newcomer starts it. */
describe.each(runtimes)('the emulator behind the gateway on $name', ({ start }) => {
  let gateway: Running;
  let guarded: Running;
  const key = 'access-key-0123456789';
  beforeAll(async () => {
    gateway = await start({ API_PREFIX: 'abc' });
    guarded = await start({ ACCESS_KEYS: key });
  }, 60_000);
  afterAll(() => Promise.all([gateway.stop(), guarded.stop()]));

  const post = async (url: string, body: object) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return [response.status, await response.json()] as [number, unknown];
  };
  const expectPicture = async (url: string) => {
    const response = await fetch(url);
    expect([response.status, response.headers.get('content-type')], url).toEqual([200, 'image/png']);
  };

  test.each(['dall-e-3', 'gpt-4-s', 'gpt-4-mobile', undefined])(
    'any prompt for pictures gives one under the address of the gateway (model %s)',
    async (model) => {
      const [status, body] = await post(`${gateway.url}/abc/v1/images/generations`, {
        model,
        prompt: 'A cute baby sea otter',
      });
      expect([status, body]).toMatchObject([200, { data: [{ url: expect.any(String) }] }]);
      const { url } = (body as { data: { url: string }[] }).data[0] as { url: string };
      expect(url.startsWith(`${gateway.url}/`), url).toBe(true);
      await expectPicture(url);
    },
  );

  test.each(['draw 2', '/draw 2'])('"%s" gives two pictures that load', async (content) => {
    const [, body] = await post(`${gateway.url}/abc/v1/chat/completions`, {
      model: 'gpt-4-s',
      messages: [{ role: 'user', content }],
    });
    const urls = [...JSON.stringify(body).matchAll(/!\[[^\]]*\]\((.*?)\)/g)].map(([, url]) => url as string);
    expect(urls).toHaveLength(2);
    for (const url of urls) {
      expect(url.startsWith(`${gateway.url}/`), url).toBe(true);
      await expectPicture(url);
    }
  });

  test.each([
    ['en', 'the built-in emulator answers'],
    ['zh-CN', '由内置模拟器应答'],
  ])('the start page says that it is the emulator (%s)', async (language, words) => {
    const page = await fetch(`${gateway.url}/abc/`, { headers: { 'accept-language': language } });
    expect(await page.text()).toContain(words);
  });

  test('a caller cannot make links to elsewhere', async () => {
    const response = await fetch(`${gateway.url}/abc/v1/images/generations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-emulator-links': 'https://evil.example' },
      body: JSON.stringify({ model: 'dall-e-3', prompt: 'x' }),
    });
    expect(await response.text()).not.toContain('evil.example');
  });

  test('behind access keys, where a link would not open, the picture is in the answer', async () => {
    const [, body] = await post(`${guarded.url}/v1/images/generations`, { model: 'dall-e-3', prompt: 'x' });
    expect(body).toMatchObject({ data: [{ url: expect.stringMatching(/^data:image\/png;base64,/) }] });
  });
});
