import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { picture } from '../src/emulator/png.ts';
import { type Emulated, startEmulator } from './emulated.ts';
import { type Running, runtimes } from './gateways.ts';

let web: Emulated;
beforeAll(async () => {
  web = await startEmulator();
});
afterAll(() => web.stop());

describe.each(runtimes)('pictures drawn in conversations, behind a gateway on $name', ({ name, start }) => {
  let gateway: Running;
  let client: OpenAI;
  beforeAll(async () => {
    gateway = await start({
      BASE_URL: web.url,
      PROXY_API_PREFIX: 'emulator-web',
      IMAGE_PROMPT_PREFIX: '/draw',
      FILE_FETCH_ALLOW: new URL(web.url).host,
    });
    client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'fk-caller', maxRetries: 0 });
  });
  afterAll(() => gateway.stop());

  const lastPrompt = () => web.payloads.at(-1).messages[0].content.parts.at(-1) as string;

  test('returns a link, the revised prompt and the words around the picture', async () => {
    const answer = (await client.images.generate({
      model: 'dall-e-3',
      prompt: 'a sluice',
    })) as OpenAI.ImagesResponse & {
      reply: string;
    };
    expect(answer.data).toHaveLength(1);
    expect(answer.data?.[0]?.revised_prompt).toBe('A sluice, 0');
    expect(answer.reply).toBe('Here you are.');
    expect(Math.abs(answer.created - Date.now() / 1000)).toBeLessThan(60);
    const got = await fetch(answer.data?.[0]?.url ?? '');
    expect(new Uint8Array(await got.arrayBuffer())).toEqual(picture('file-drawn0.png'));
    expect(web.payloads.at(-1)).toMatchObject({ model: 'gpt-4-mobile' });
    expect(lastPrompt()).toBe('/draw a sluice');
  });

  test('returns base64 if asked', async () => {
    const { data } = await client.images.generate({
      model: 'dall-e-3',
      prompt: 'x',
      response_format: 'b64_json',
    });
    expect(new Uint8Array(Buffer.from(data?.[0]?.b64_json ?? '', 'base64'))).toEqual(
      picture('file-drawn0.png'),
    );
    expect(data?.[0]?.url).toBeUndefined();
  });

  test('needs no model', async () => {
    const answer = await fetch(`${gateway.url}/v1/images/generations`, {
      method: 'POST',
      headers: { authorization: 'Bearer k', 'content-type': 'application/json' },
      body: JSON.stringify({ prompt: 'x' }),
    });
    expect(await answer.json()).toMatchObject({ data: [{ revised_prompt: 'A sluice, 0' }] });
  });

  test('draws several in as few turns as possible', async () => {
    const turns = () =>
      web.seen.filter((line) => line === 'POST /emulator-web/backend-api/conversation').length;
    const before = turns();
    const { data } = await client.images.generate({ model: 'dall-e-3', prompt: 'x', n: 3 });
    expect(data).toHaveLength(3);
    expect(turns() - before).toBe(3);
    const { data: four } = await client.images.generate({ model: 'dall-e-3', prompt: '2', n: 4 });
    expect(four).toHaveLength(4);
    expect(turns() - before).toBeLessThanOrEqual(6);
  });

  test('several at an upstream that takes one turn at a time', async () => {
    const narrow = await start({
      SLUICE_CONFIG: JSON.stringify({
        upstreams: {
          web: {
            kind: 'backend-api',
            url: web.url,
            prefix: 'emulator-web',
            concurrency: 1,
            queue: 2,
            queueSeconds: 3,
          },
        },
      }),
      FILE_FETCH_ALLOW: new URL(web.url).host,
    });
    try {
      const narrowly = new OpenAI({ baseURL: `${narrow.url}/v1`, apiKey: 'fk-caller', maxRetries: 0 });
      const { data } = await narrowly.images.generate({ model: 'dall-e-3', prompt: '/draw x', n: 3 });
      // Where nobody may wait, the turns that found no place are missing.
      expect(data?.length).toBe(name === 'node' ? 3 : 1);
    } finally {
      await narrow.stop();
    }
  });

  test('adds size, quality and style to the prompt', async () => {
    await client.images.generate({
      model: 'dall-e-3',
      prompt: '1 boat',
      size: '1792x1024',
      quality: 'hd',
      style: 'natural',
    });
    expect(lastPrompt()).toBe('/draw 1 boat\n\nSize: 1792x1024 (wide). Quality: hd. Style: natural.');
  });

  test('sends the picture that is edited', async () => {
    const image = await toFile(picture('before'), 'before.png', { type: 'image/png' });
    const { data } = await client.images.edit({ model: 'dall-e-3', image, prompt: '1 with a boat' });
    expect(data).toHaveLength(1);
    expect(web.uploads.at(-1)?.bytes).toEqual(picture('before'));
    expect(web.payloads.at(-1).messages[0].content).toMatchObject({
      content_type: 'multimodal_text',
      parts: [{ content_type: 'image_asset_pointer', width: 64, height: 64 }, '/draw 1 with a boat'],
    });
    const varied = await client.images.createVariation({ image });
    expect(varied.data).toHaveLength(1);
    expect(lastPrompt()).toBe('/draw Draw a variation of this picture.');
  });

  test.each([
    [{ prompt: '' }, 'prompt'],
    [{ prompt: 5 }, 'prompt'],
    [{ prompt: 'x'.repeat(32_001) }, 'prompt'],
    [{ n: 0 }, 'n'],
    [{ n: 11 }, 'n'],
    [{ size: 'huge' }, 'size'],
    [{ response_format: 'gif' }, 'response_format'],
    [{ quality: 'x'.repeat(100) }, 'quality'],
  ])('%j is refused by name', async (wrong, param) => {
    const answer = await fetch(`${gateway.url}/v1/images/generations`, {
      method: 'POST',
      headers: { authorization: 'Bearer k', 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'dall-e-3', prompt: 'x', ...wrong }),
    });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: { param } });
  });

  test('refuses a form without a picture, and a body that is no form', async () => {
    const form = new FormData();
    form.set('prompt', 'x');
    const headers = { authorization: 'Bearer k' };
    const post = (body: BodyInit, more = {}) =>
      fetch(`${gateway.url}/v1/images/edits`, { method: 'POST', headers: { ...headers, ...more }, body });
    expect(await (await post(form)).json()).toMatchObject({ error: { param: 'image' } });
    expect((await post('{}', { 'content-type': 'application/json' })).status).toBe(415);
    expect(
      (await post('x', { 'content-type': `multipart/form-data; boundary=${'-'.repeat(1e4)}` })).status,
    ).toBe(415);
    expect((await post('--b\r\nbroken', { 'content-type': 'multipart/form-data; boundary=b' })).status).toBe(
      400,
    );
  });
});

describe.each(runtimes)('what goes wrong with pictures, behind a gateway on $name', ({ start }) => {
  let gateway: Running;
  beforeAll(async () => {
    gateway = await start({ BASE_URL: web.url, PROXY_API_PREFIX: 'emulator-web' });
  });
  afterAll(() => gateway.stop());

  test.each([
    ['words instead of a picture', 'please draw a cat', 400, 'You said: please draw a cat'],
    ['a cap that is reached', '/error 429', 429, 'You have sent too many messages'],
    ['a refusal of the upstream', '/error 500', 502, 'asked for a 500'],
    ['a stream that breaks', '/break', 502, 'broke off'],
  ])('%s is an error with a status', async (_, prompt, status, words) => {
    const answer = await fetch(`${gateway.url}/v1/images/generations`, {
      method: 'POST',
      headers: { authorization: 'Bearer k', 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'dall-e-3', prompt }),
    });
    expect(answer.status).toBe(status);
    expect(((await answer.json()) as { error: { message: string } }).error.message).toContain(words);
  });

  test('ends the turn when the caller leaves', async () => {
    const left = new AbortController();
    const asked = fetch(`${gateway.url}/v1/images/generations`, {
      method: 'POST',
      signal: left.signal,
      headers: { authorization: 'Bearer k', 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'dall-e-3', prompt: '/later' }),
    });
    setTimeout(() => left.abort(), 100);
    await expect(asked).rejects.toThrow();
  });
});
