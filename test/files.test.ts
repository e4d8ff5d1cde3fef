import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { picture } from '../src/emulator/png.ts';
import { type Emulated, startEmulator } from './emulated.ts';
import { type Running, startOnNode } from './gateways.ts';

let web: Emulated;
const accessKey = 'access-key-0123456789';
const dataDir = () => mkdtempSync(join(tmpdir(), 'sluice-files-'));

beforeAll(async () => {
  web = await startEmulator();
});
afterAll(() => web.stop());

const start = (more: Record<string, string> = {}): Promise<Running> =>
  startOnNode({ BASE_URL: web.url, PROXY_API_PREFIX: 'emulator-web', DATA_DIR: dataDir(), ...more });

const clientOf = (gateway: Running, apiKey = 'fk-caller') =>
  new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey, maxRetries: 0 });

const create = async (client: OpenAI, text: string, name = 'a.txt') =>
  client.files.create({ file: await toFile(Buffer.from(text), name), purpose: 'user_data' });

describe('/v1/files', () => {
  let gateway: Running;
  beforeAll(async () => {
    gateway = await start({ UPLOADED_BYTES: '1000' });
  });
  afterAll(() => gateway.stop());

  test('requires a key', async () => {
    for (const [method, path] of [
      ['POST', '/v1/files'],
      ['GET', '/v1/files'],
      ['GET', `/v1/files/file-${'0'.repeat(32)}`],
    ]) {
      const response = await fetch(gateway.url + path, { method: method ?? '' });
      expect(response.status).toBe(401);
      expect(await response.text()).toMatch(/A key is required|No key for the upstream/);
    }
  });

  test('equal files of one key are two files: deleting one keeps the other', async () => {
    const client = clientOf(gateway, 'fk-equal');
    const one = await create(client, 'the same');
    const two = await create(client, 'the same');
    expect(two.id).not.toBe(one.id);
    await client.files.delete(one.id);
    expect(await (await client.files.content(two.id)).text()).toBe('the same');
  });

  test('limits the bytes of each key apart', async () => {
    const client = clientOf(gateway, 'fk-quota');
    await create(client, 'x'.repeat(600));
    const error = await create(client, 'x'.repeat(600)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ status: 507, code: 'insufficient_storage' });
    expect(String(error)).toContain('UPLOADED_BYTES');
    expect(await create(client, 'x'.repeat(300))).toMatchObject({ bytes: 300 });
    expect(await create(clientOf(gateway, 'fk-quota-2'), 'x'.repeat(600))).toMatchObject({ bytes: 600 });
  });

  test('lists in pages, newest first, as the API does', async () => {
    const client = clientOf(gateway, 'fk-pages');
    const ids: string[] = [];
    for (const text of ['one', 'two', 'three', 'four', 'five']) {
      ids.push((await create(client, text, `${text}.txt`)).id);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const page = await client.files.list({ limit: 2 });
    expect(page.data.map(({ filename }) => filename)).toEqual(['five.txt', 'four.txt']);
    expect(page.has_more).toBe(true);
    const all: string[] = [];
    for await (const file of client.files.list({ limit: 2, order: 'asc' })) all.push(file.id);
    expect(all).toEqual(ids);
    expect((await client.files.list()).has_more).toBe(false);
    expect((await client.files.list({ purpose: 'assistants' })).data).toEqual([]);
    await expect(client.files.list({ limit: 0 })).rejects.toMatchObject({ status: 400 });
  });

  test('refuses a file name of more than 1024 characters, and serves others while it does', async () => {
    const form = new FormData();
    form.set('file', new Blob(['x']), `x${'-'.repeat(1_000_000)}x`);
    const response = await fetch(`${gateway.url}/v1/files`, {
      method: 'POST',
      headers: { authorization: 'Bearer k' },
      body: form,
    });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('1024 characters');
  });

  test('a link with a long name is answered, and the name is cut', async () => {
    const drawn = await clientOf(gateway).chat.completions.create({
      model: 'gpt-4',
      messages: [{ role: 'user', content: '/code' }],
    });
    const link = /\((http[^)]+\/files\/[0-9a-f]{32})-/.exec(drawn.choices[0]?.message.content ?? '')?.[1];
    const response = await fetch(`${link}-x${'-'.repeat(12_000)}x`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-disposition')?.length).toBeLessThan(200);
    expect(response.headers.get('last-modified')).toBeNull();
  });
});

test('an upload that is no picture deletes nothing', async () => {
  const gateway = await start({ ACCESS_KEYS: accessKey });
  const client = clientOf(gateway, accessKey).withOptions({ defaultHeaders: { 'x-openai-key': 'fk-own' } });
  const drawn = await client.chat.completions.create({
    model: 'gpt-4',
    messages: [{ role: 'user', content: '/code' }],
  });
  const link = /\((http[^)]+)\)/.exec(drawn.choices[0]?.message.content ?? '')?.[1] ?? '';
  const bytes = await (await fetch(link)).arrayBuffer();
  const upload = await fetch(`${gateway.url}/image/upload`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${accessKey}`, 'content-type': 'text/csv' },
    body: bytes,
  });
  expect(upload.status).toBe(415);
  expect((await fetch(link)).status).toBe(200);
  await gateway.stop();
});

describe('STORED_BYTES', () => {
  test('is not exceeded by uploads, and leaves room for pictures', async () => {
    const gateway = await start({ STORED_BYTES: '200000' });
    const client = clientOf(gateway);
    await create(client, 'x'.repeat(80_000));
    const error = await create(client, 'x'.repeat(80_000)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ status: 507 });
    expect(String(error)).toContain('STORED_BYTES');
    const drawn = await client.chat.completions.create({
      model: 'gpt-4',
      messages: [{ role: 'user', content: '/draw 1' }],
    });
    const link = /\((http[^)]+)\)/.exec(drawn.choices[0]?.message.content ?? '')?.[1] ?? '';
    expect((await fetch(link)).status).toBe(200);
    await gateway.stop();
  });

  test('the oldest are deleted as soon as it is nearly reached, not an hour later', async () => {
    const folder = dataDir();
    const key = { authorization: `Bearer ${accessKey}` };
    const size = picture('1').length;
    const gateway = await start({
      ACCESS_KEYS: accessKey,
      DATA_DIR: folder,
      STORED_BYTES: String(size * 20),
    });
    const stored = () =>
      readdirSync(join(folder, 'blobs', 'media'), { recursive: true, encoding: 'utf8' }).filter((name) =>
        /[0-9a-f]{32}$/.test(name),
      ).length;
    for (let i = 0; i < 20; i++)
      await fetch(`${gateway.url}/image/upload`, { method: 'PUT', headers: key, body: picture(String(i)) });
    await expect.poll(stored).toBeLessThan(20);
    expect(stored()).toBeGreaterThan(10);
    await gateway.stop();
  });
});

test('a picture whose file was removed is stored again', async () => {
  const folder = dataDir();
  const gateway = await start({ DATA_DIR: folder });
  const draw = async (): Promise<string> => {
    const drawn = await clientOf(gateway).chat.completions.create({
      model: 'gpt-4',
      messages: [{ role: 'user', content: '/draw 1' }],
    });
    return /\((http[^)]+)\)/.exec(drawn.choices[0]?.message.content ?? '')?.[1] ?? '';
  };
  const first = await draw();
  expect((await fetch(first)).status).toBe(200);
  rmSync(join(folder, 'blobs'), { recursive: true });
  const second = await draw();
  expect(second).not.toBe(first);
  expect((await fetch(second)).status).toBe(200);
  await gateway.stop();
});
