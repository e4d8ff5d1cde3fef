import { env } from 'cloudflare:workers';
import { describe, expect, test } from 'vitest';
import { picture } from '../../emulator/png.ts';
import { clean, serve, start } from '../../worker.ts';

/** The deployed Worker, with R2 and KV, and the emulator in the isolate as its upstream. */
const served = start({ ...env, LOG_LEVEL: 'error' });

const ask = (path: string, init: RequestInit = {}, who = served) =>
  serve(new Request(`https://gate.example${path}`, init), who);

async function chat(content: unknown, who = served): Promise<Response> {
  return ask(
    '/v1/chat/completions',
    {
      method: 'POST',
      headers: { authorization: 'Bearer k', 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-4-mobile', messages: [{ role: 'user', content }] }),
    },
    who,
  );
}

async function answerTo(content: unknown, who = served): Promise<string> {
  const { choices } = (await (await chat(content, who)).json()) as {
    choices: { message: { content: string } }[];
  };
  return choices[0]?.message.content ?? '';
}

const linksIn = (text: string) => [...text.matchAll(/\]\((http[^)]+)\)/g)].map(([, link]) => link ?? '');

describe('a Worker with R2', () => {
  test('ten pictures: ten links, each with its own bytes', async () => {
    const links = linksIn(await answerTo('/draw 10'));
    expect(new Set(links).size).toBe(10);
    for (const [i, link] of links.entries()) {
      expect(link).toMatch(/^https:\/\/gate\.example\/images\/[0-9a-f]{32}\.png$/);
      const answer = await ask(new URL(link).pathname);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toBe('image/png');
      expect(answer.headers.get('access-control-allow-origin')).toBe('*');
      expect(new Uint8Array(await answer.arrayBuffer())).toEqual(picture(`file-drawn${i}.png`));
    }
  });

  test('returns part of a picture, and 304 to a client that has it', async () => {
    const [link = ''] = linksIn(await answerTo('/draw'));
    const { pathname } = new URL(link);
    const part = await ask(pathname, { headers: { range: 'bytes=1-3' } });
    expect(part.status).toBe(206);
    expect(await part.text()).toBe('PNG');
    const etag = (await ask(pathname, { method: 'HEAD' })).headers.get('etag') ?? '';
    expect((await ask(pathname, { headers: { 'if-none-match': etag } })).status).toBe(304);
    expect((await ask('/images/0123456789abcdef0123456789abcdef.png')).status).toBe(404);
  });

  test('files of the sandbox are downloads', async () => {
    const [link = ''] = linksIn(await answerTo('/code'));
    const answer = await ask(new URL(link).pathname);
    expect(await answer.text()).toBe('a,b\n1,2\n');
    expect(answer.headers.get('content-disposition')).toContain('attachment');
  });

  test('accepts the older name of the binding', async () => {
    const older = start({ LOG_LEVEL: 'error', R2buket: env.BLOBS });
    expect(linksIn(await answerTo('/draw', older))[0]).toContain('https://gate.example/images/');
  });

  test('without a bucket the upstream’s own links are handed out', async () => {
    const bare = start({ LOG_LEVEL: 'error' });
    expect(linksIn(await answerTo('/draw', bare))[0]).toContain('/emulator/files/file-drawn0.png');
    const upload = await ask(
      '/image/upload',
      { method: 'PUT', body: picture('x'), headers: { authorization: 'Bearer access-key-0123456789' } },
      start({ LOG_LEVEL: 'error', ACCESS_KEYS: 'access-key-0123456789' }),
    );
    expect(upload.status).toBe(503);
    expect(await upload.text()).toContain('BLOBS');
  });

  test('PUT /image/upload stores a picture', async () => {
    const keyed = start({ ...env, LOG_LEVEL: 'error', ACCESS_KEYS: 'access-key-0123456789' });
    const answer = await ask(
      '/image/upload',
      { method: 'PUT', body: picture('up'), headers: { authorization: 'Bearer access-key-0123456789' } },
      keyed,
    );
    expect(answer.status).toBe(200);
    const got = await ask(new URL(await answer.text()).pathname, {}, keyed);
    expect(new Uint8Array(await got.arrayBuffer())).toEqual(picture('up'));
  });

  test('accepts pictures as input', async () => {
    const data = btoa(String.fromCharCode(...picture('in')));
    const answer = await chat([
      { type: 'text', text: 'hello' },
      { type: 'image_url', image_url: { url: `data:image/png;base64,${data}` } },
    ]);
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain('hello');
  });

  test('the cron trigger deletes what is too much, and nothing is stored beyond the limit', async () => {
    const [link = ''] = linksIn(await answerTo('/draw'));
    const small = start({ ...env, LOG_LEVEL: 'error', STORED_BYTES: '100' });
    await clean(small);
    expect((await ask(new URL(link).pathname)).status).toBe(404);
    expect(await answerTo('/draw', small)).toContain('> Note: the gateway could not store it');
  });
});
