import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { picture } from '../src/emulator/png.ts';
import { type Emulated, startEmulator } from './emulated.ts';
import { type Running, runtimes } from './gateways.ts';

const png = picture('in');
const base64 = Buffer.from(png).toString('base64');
const text = (content: string) => Buffer.from(content).toString('base64');

/** The server that pictures and files of messages are fetched from. */
const shelves: Readonly<Record<string, RequestListener>> = {
  '/a.png': (_, response) => response.setHeader('content-type', 'image/png').end(png),
  '/wrong.html': (_, response) => response.setHeader('content-type', 'text/html').end(png),
  '/page.png': (_, response) =>
    response.setHeader('content-type', 'image/png').end('<html><script>1</script>'),
  '/truncated.png': (_, response) => response.end(png.subarray(0, 18)),
  '/empty.png': (_, response) => response.end(),
  '/gone.png': (_, response) => response.writeHead(404).end('gone'),
  '/moved.png': (_, response) => response.writeHead(302, { location: '/a.png' }).end(),
  '/drawing.svg': (_, response) =>
    response
      .setHeader('content-type', 'image/svg+xml')
      .end('<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>'),
  '/large.png': (_, response) => {
    // 100 MB in chunks, without a content-length.
    const chunk = Buffer.alloc(1024 * 1024, 1);
    let sent = 0;
    response.write(png);
    const more = (): void => {
      while (sent++ < 100) if (!response.write(chunk)) return void response.once('drain', more);
      response.end();
    };
    more();
  },
  '/declared.png': (_, response) =>
    void response.writeHead(200, { 'content-length': 100_000_000 }).write(png),
  '/bomb.png': (_, response) => {
    response.setHeader('content-encoding', 'gzip').end(gzipSync(Buffer.alloc(50_000_000)));
  },
  '/silent.png': () => {},
  '/reset.png': (_, response) => {
    response.writeHead(200, { 'content-length': 5000 }).write(png.subarray(0, 100));
    setTimeout(() => response.destroy(), 50);
  },
};

let shelf: Server;
let at: string;
let web: Emulated;
beforeAll(async () => {
  shelf = createServer((request, response) => {
    expect(request.headers).not.toHaveProperty('authorization');
    expect(request.headers).not.toHaveProperty('cookie');
    const shelf = shelves[request.url?.split('?')[0] ?? ''];
    if (shelf) shelf(request, response);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => shelf.listen(0, '127.0.0.1', resolve));
  at = `http://127.0.0.1:${(shelf.address() as AddressInfo).port}`;
  web = await startEmulator();
});
afterAll(() => {
  shelf.close().closeAllConnections();
  web.stop();
});

describe.each(runtimes)('pictures and files as input, behind a gateway on $name', ({ name, start }) => {
  let gateway: Running;
  let client: OpenAI;
  beforeAll(async () => {
    gateway = await start({
      BASE_URL: web.url,
      PROXY_API_PREFIX: 'emulator-web',
      FILE_FETCH_ALLOW: `${new URL(at).host}`,
      MAX_FILE_BYTES: '5MiB',
      MAX_BODY_BYTES: '16MiB',
    });
    client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'fk-caller', maxRetries: 0 });
  });
  afterAll(() => gateway.stop());

  const send = (parts: unknown[], key = 'fk-caller') =>
    fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-4', messages: [{ role: 'user', content: parts }] }),
    });
  const lastMessage = () => web.payloads.at(-1).messages.at(-1);
  const announced = () => web.payloads.filter((payload) => 'file_name' in payload).at(-1);
  const failing = async (parts: unknown[]) => {
    const answer = await send(parts);
    return {
      status: answer.status,
      error: ((await answer.json()) as { error: { message: string; param: string } }).error,
    };
  };

  test.each([
    ['an address', () => ({ type: 'image_url', image_url: { url: `${at}/a.png` } })],
    ['an address behind a redirect', () => ({ type: 'image_url', image_url: { url: `${at}/moved.png` } })],
    [
      'an address that says it is a page',
      () => ({ type: 'image_url', image_url: { url: `${at}/wrong.html` } }),
    ],
    ['an address as text', () => ({ type: 'image_url', image_url: `${at}/a.png` })],
    ['data', () => ({ type: 'image_url', image_url: { url: `data:image/png;base64,${base64}` } })],
    [
      'data that says it is text',
      () => ({ type: 'image_url', image_url: { url: `data:text/plain;base64,${base64}` } }),
    ],
    ['an input_image', () => ({ type: 'input_image', image_url: `data:image/png;base64,${base64}` })],
    [
      'a file',
      () => ({ type: 'file', file: { filename: 'a.png', file_data: `data:image/png;base64,${base64}` } }),
    ],
    ['an input_file', () => ({ type: 'input_file', filename: 'a.png', file_data: base64 })],
  ])('a picture as %s', async (_, part) => {
    const answer = await send([{ type: 'text', text: 'What is this?' }, part()]);
    expect(answer.status).toBe(200);
    const { content, metadata } = lastMessage();
    expect(content).toMatchObject({
      content_type: 'multimodal_text',
      parts: [
        {
          content_type: 'image_asset_pointer',
          asset_pointer: expect.stringMatching(/^file-service:\/\/file-up\d+$/),
          size_bytes: png.length,
          width: 64,
          height: 64,
        },
        'What is this?',
      ],
    });
    expect(metadata.attachments).toMatchObject([
      { size: png.length, mimeType: 'image/png', mime_type: 'image/png', width: 64, height: 64 },
    ]);
    expect(web.uploads.at(-1)?.bytes).toEqual(png);
  });

  test.each([
    ['notes.txt', text('notes'), 'text/plain', 'my_files'],
    ['README.md', text('# Title'), 'text/markdown', 'my_files'],
    ['tool.py', text('print(1)'), 'text/x-script.python', 'my_files'],
    ['paper.pdf', text('%PDF-1.7\n'), 'application/pdf', 'my_files'],
    ['data.csv', text('a,b'), 'text/csv', 'ace_upload'],
    ['data.bin', Buffer.from([1, 0, 2]).toString('base64'), 'application/octet-stream', 'ace_upload'],
  ])('%s is sent for what it is', async (filename, data, type, useCase) => {
    const answer = await send([
      { type: 'text', text: 'Read this.' },
      { type: 'file', file: { filename, file_data: data } },
    ]);
    expect(answer.status).toBe(200);
    expect(announced()).toMatchObject({ file_name: filename, use_case: useCase, mime_type: type });
    const { content, metadata } = lastMessage();
    expect(content).toEqual({ content_type: 'text', parts: ['Read this.'] });
    expect(metadata.attachments).toMatchObject([{ name: filename, mimeType: type }]);
    expect('fileTokenSize' in metadata.attachments[0]).toBe(useCase === 'my_files');
  });

  test('uploads carry no key, and have their type', async () => {
    await send([
      { type: 'file', file: { filename: `${name}.txt`, file_data: text(`own bytes on ${name}`) } },
    ]);
    const upload = web.uploads.at(-1);
    expect(upload?.headers.get('x-ms-blob-type')).toBe('BlockBlob');
    expect(upload?.headers.get('content-type')).toBe('text/plain');
    expect(upload?.headers.has('authorization')).toBe(false);
  });

  test('a file that the account has is not uploaded again; another account uploads it', async () => {
    const part = { type: 'file', file: { filename: 'once.txt', file_data: text(`once on ${name}`) } };
    const count = () => web.uploads.length;
    await send([part], 'fk-one');
    const first = lastMessage().metadata.attachments[0].id;
    const before = count();
    await send([part], 'fk-one');
    expect(count()).toBe(before);
    expect(lastMessage().metadata.attachments[0].id).toBe(first);
    expect(web.seen.at(-2) === undefined).toBe(false);
    expect(web.seen).toContain(`GET /emulator-web/backend-api/files/${first}`);
    await send([part], 'fk-two');
    expect(count()).toBe(before + 1);
    expect(lastMessage().metadata.attachments[0].id).not.toBe(first);
  });

  test('several files keep their order', async () => {
    const parts = Array.from({ length: 6 }, (_, i) => ({
      type: 'image_url',
      image_url: { url: `data:image/png;base64,${Buffer.from(picture(`${name} ${i}`)).toString('base64')}` },
    }));
    expect((await send(parts)).status).toBe(200);
    const pointers = lastMessage()
      .content.parts.slice(0, 6)
      .map((part: { asset_pointer: string }) => part.asset_pointer);
    const uploaded = Array.from({ length: 6 }, (_, i) => {
      const found = web.uploads.find(({ bytes }) =>
        Buffer.from(bytes).equals(Buffer.from(picture(`${name} ${i}`))),
      );
      return `file-service://${/file-up\d+/.exec(found?.url ?? '')?.[0]}`;
    });
    expect(pointers).toEqual(uploaded);
  });

  test.each([
    ['a dead link', '/gone.png', 400, 'status 404'],
    ['a truncated picture', '/truncated.png', 400, 'damaged'],
    ['nothing', '/empty.png', 400, 'empty'],
    ['a picture of 100 MB', '/large.png', 413, 'larger than'],
    ['one that says it has 100 MB', '/declared.png', 413, 'larger than'],
    ['a download that breaks off', '/reset.png', 400, 'could not be taken'],
  ])('%s is a clear error that names the part', async (_, path, status, words) => {
    const { status: got, error } = await failing([
      { type: 'text', text: 'x' },
      { type: 'image_url', image_url: { url: at + path } },
    ]);
    expect(error.message).toContain(words);
    expect(got).toBe(status);
    expect(error.param).toBe('messages[0].content[1]');
  });

  test('a compressed bomb is not decompressed beyond the limit', async () => {
    const { status } = await failing([{ type: 'image_url', image_url: { url: `${at}/bomb.png` } }]);
    // workerd unpacks it, and is stopped at the limit; on Node it stays packed, and is a file like others.
    expect(status).toBe(name === 'workerd' ? 413 : 200);
    if (name === 'node')
      expect(announced()).toMatchObject({ mime_type: 'application/gzip', use_case: 'ace_upload' });
  });

  test('a page that claims to be a picture is sent as a file, as is a drawing with a script', async () => {
    expect((await send([{ type: 'image_url', image_url: { url: `${at}/page.png` } }])).status).toBe(200);
    expect(announced()).toMatchObject({ use_case: 'my_files', mime_type: 'text/plain' });
  });

  test('a picture of a type that the model cannot see is refused by name, and goes as a file', async () => {
    const { status, error } = await failing([{ type: 'image_url', image_url: { url: `${at}/drawing.svg` } }]);
    expect(status).toBe(400);
    expect(error.message).toContain('cannot see image/svg+xml');
    expect((await send([{ type: 'file_url', file_url: { url: `${at}/drawing.svg` } }])).status).toBe(200);
    expect(announced()).toMatchObject({ use_case: 'ace_upload', mime_type: 'image/svg+xml' });
  });

  test('a picture in the address itself has a plain name', async () => {
    await send([{ type: 'image_url', image_url: { url: `data:image/png;base64,${base64}` } }]);
    expect(lastMessage().metadata.attachments).toMatchObject([{ name: 'image.png' }]);
  });

  test.each([
    [{ type: 'image_url' }, 'names no picture'],
    [{ type: 'image_url', image_url: { url: 'data:image/png;base64' } }, 'without data'],
    [{ type: 'image_url', image_url: { url: 'data:image/png;base64,***' } }, 'not base64'],
    [{ type: 'image_url', image_url: { url: 'nonsense' } }, 'http:// or https://'],
    [{ type: 'file', file: { file_id: 'file-abc' } }, 'not stored by this gateway'],
    [{ type: 'file', file: { filename: 'x'.repeat(2000), file_data: 'aGk=' } }, 'more than 1024 characters'],
    [{ type: 'video_url', video_url: {} }, 'cannot be sent'],
    [{ type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } }, 'cannot hear'],
    ['text', 'cannot be sent'],
  ])('%j is refused by name', async (part, words) => {
    const { status, error } = await failing([part]);
    expect(status).toBe(400);
    expect(error.message).toContain(words);
    expect(error.param).toContain('messages[0].content[0]');
  });

  test('more than 64 files are refused', async () => {
    const { status, error } = await failing(
      Array.from({ length: 65 }, () => ({ type: 'image_url', image_url: { url: `${at}/a.png` } })),
    );
    expect(status).toBe(400);
    expect(error.message).toContain('At most 64');
  });

  test.skipIf(name === 'workerd')(
    'an uploaded file can be named by its id with the key that uploaded it',
    async () => {
      const file = await client.files.create({
        file: await toFile(Buffer.from('kept'), 'kept.txt'),
        purpose: 'user_data',
      });
      expect(file).toMatchObject({ filename: 'kept.txt', bytes: 4, object: 'file' });
      expect((await client.files.retrieve(file.id)).filename).toBe('kept.txt');
      expect(await (await client.files.content(file.id)).text()).toBe('kept');
      const listed = [];
      for await (const each of client.files.list()) listed.push(each.id);
      expect(listed).toContain(file.id);
      const part = { type: 'file', file: { file_id: file.id } };
      expect((await send([part])).status).toBe(200);
      expect(Buffer.from(web.uploads.at(-1)?.bytes ?? []).toString()).toBe('kept');
      // For another key it does not exist.
      expect((await send([part], 'fk-other')).status).toBe(400);
      const other = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'fk-other', maxRetries: 0 });
      await expect(other.files.retrieve(file.id)).rejects.toMatchObject({ status: 404 });
      await expect(other.files.content(file.id)).rejects.toMatchObject({ status: 404 });
      await expect(other.files.delete(file.id)).rejects.toMatchObject({ status: 404 });
      expect((await client.files.delete(file.id)).deleted).toBe(true);
      await expect(client.files.retrieve(file.id)).rejects.toMatchObject({ status: 404 });
    },
  );

  test.skipIf(name === 'workerd')("the gateway's own links are read from its storage", async () => {
    const drawn = await client.chat.completions.create({
      model: 'gpt-4',
      messages: [{ role: 'user', content: '/draw' }],
    });
    const link = /\((http[^)]+)\)/.exec(drawn.choices[0]?.message.content ?? '')?.[1] ?? '';
    expect(link).toContain(gateway.url);
    expect((await send([{ type: 'image_url', image_url: { url: link } }])).status).toBe(200);
    expect(lastMessage().content.parts[0]).toMatchObject({ width: 64 });
  });
});

describe('PUT /image/upload', () => {
  let gateway: Running;
  const key = 'access-key-0123456789';
  beforeAll(async () => {
    gateway = await (runtimes[0] as (typeof runtimes)[0]).start({
      BASE_URL: web.url,
      PROXY_API_PREFIX: 'emulator-web',
      ACCESS_KEYS: key,
      MAX_FILE_BYTES: '1MiB',
    });
  });
  afterAll(() => gateway.stop());
  const put = (body: BodyInit | null, more: Record<string, string> = { authorization: `Bearer ${key}` }) =>
    fetch(`${gateway.url}/image/upload`, { method: 'PUT', headers: more, body });

  test('stores a picture and returns its link as text', async () => {
    const answer = await put(png);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toContain('text/plain');
    const link = await answer.text();
    expect(new Uint8Array(await (await fetch(link)).arrayBuffer())).toEqual(png);
  });

  test('requires an access key', async () => {
    expect((await put(png, {})).status).toBe(401);
    expect((await put(png, { authorization: 'Bearer wrong' })).status).toBe(401);
    const open = await (runtimes[0] as (typeof runtimes)[0]).start({ BASE_URL: web.url });
    const answer = await fetch(`${open.url}/image/upload`, {
      method: 'PUT',
      headers: { authorization: 'Bearer k' },
      body: png,
    });
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain('ACCESS_KEYS');
    await open.stop();
  });

  test('accepts only pictures, up to the size limit', async () => {
    expect((await put('<svg xmlns="http://www.w3.org/2000/svg"/>')).status).toBe(415);
    expect((await put('<html>')).status).toBe(415);
    expect((await put(null)).status).toBe(400);
    expect((await put(Buffer.concat([png, Buffer.alloc(2_000_000)]))).status).toBe(413);
  });
});
