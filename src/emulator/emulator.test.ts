import { describe, expect, test } from 'vitest';
import { createEmulator } from './emulator.ts';

const at = (path: string) => `http://emulator.example${path}`;
const web = (path: string) => at(`/emulator-web/backend-api${path}`);
const post = (url: string, body: unknown, headers: Record<string, string> = {}) =>
  new Request(url, {
    method: 'POST',
    headers: { authorization: 'Bearer x', 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

describe('the OpenAI face', () => {
  test.each([
    [new Request(at('/v1/nothing')), 404],
    [new Request(at('/v1/chat/completions')), 405],
    [new Request(at('/v1/chat/completions'), { method: 'POST', body: '{' }), 400],
    [post(at('/v1/chat/completions'), { messages: [] }), 400],
    [post(at('/v1/embeddings'), { model: 'm', input: '' }), 400],
    [new Request(at('/v1/models'), { headers: { 'x-emulator-error': '503' } }), 503],
  ])('$url refuses what the API refuses', async (request, status) => {
    const answer = await createEmulator().fetch(request);
    expect([answer.status, await answer.json()]).toMatchObject([
      status,
      { error: { message: expect.any(String) } },
    ]);
  });

  test('lets in only the keys it was told of', async () => {
    const emulator = createEmulator({ keys: ['sk-right'] });
    const list = (key: string) =>
      emulator.fetch(new Request(at('/v1/models'), { headers: { authorization: `Bearer ${key}` } }));
    expect([(await list('sk-right')).status, (await list('sk-wrong')).status]).toEqual([200, 401]);
  });

  test('says the same to the same question, and keeps the pace it is asked for', async () => {
    const ask = async () => {
      const answer = await createEmulator().fetch(
        post(
          at('/v1/chat/completions'),
          { model: 'm', stream: true, messages: [{ role: 'user', content: 'a b c' }] },
          { 'x-emulator-delay-ms': '10' },
        ),
      );
      const started = Date.now();
      return { text: await answer.text(), ms: Date.now() - started };
    };
    const [first, second] = [await ask(), await ask()];
    expect(first.text).toBe(second.text);
    expect(first.ms).toBeGreaterThan(40);
  });
});

describe('the backend-api face', () => {
  const say = (text: string, more: object = {}) =>
    post(web('/conversation'), {
      action: 'next',
      model: 'gpt-4',
      messages: [{ author: { role: 'user' }, content: { parts: [text] } }],
      ...more,
    });

  test('asks for a key, and for a model', async () => {
    const emulator = createEmulator();
    expect(
      (await emulator.fetch(new Request(web('/conversation'), { method: 'POST', body: '{}' }))).status,
    ).toBe(401);
    const answer = await emulator.fetch(post(web('/conversation'), {}));
    expect([answer.status, await answer.json()]).toMatchObject([
      422,
      { detail: [{ loc: ['body', 'model'] }] },
    ]);
  });

  test('pads its deltas to eight bytes, and mixes its line ends', async () => {
    const text = await (await createEmulator().fetch(say('/v1 hello 🌊'))).text();
    const deltas = text.split('\n').filter((_, i, lines) => lines[i - 1] === 'event: delta');
    expect(deltas.length).toBeGreaterThan(3);
    for (const line of deltas) expect((line.length + 2) % 8).toBe(0);
    expect(text).toContain('\r\n');
    expect(text).not.toMatch(/[\u0080-\uffff]/);
  });

  test('sends the finished snapshot three times', async () => {
    const text = await (await createEmulator().fetch(say('hello'))).text();
    expect(text.match(/You said: hello"\]\},"status":"finished_successfully"/g)?.length).toBe(3);
  });

  test('hides a conversation, and knows it', async () => {
    const emulator = createEmulator();
    const id = /"conversation_id":"([\w-]+)"/.exec(await (await emulator.fetch(say('hi'))).text())?.[1];
    const visible = async () =>
      (
        (await (await emulator.fetch(new Request(web(`/conversation/${id}`)))).json()) as {
          is_visible: boolean;
        }
      ).is_visible;
    expect(await visible()).toBe(true);
    expect(
      (
        await emulator.fetch(
          new Request(web(`/conversation/${id}`), { method: 'PATCH', body: '{"is_visible":false}' }),
        )
      ).status,
    ).toBe(200);
    expect(await visible()).toBe(false);
    expect(
      (await emulator.fetch(new Request(web('/conversation/unknown'), { method: 'PATCH', body: '{}' })))
        .status,
    ).toBe(404);
  });

  test('takes an upload in three steps', async () => {
    const emulator = createEmulator();
    const announced = (await (
      await emulator.fetch(post(web('/files'), { file_name: 'a.csv', file_size: 4, use_case: 'my_files' }))
    ).json()) as { upload_url: string; file_id: string };
    const put = (headers: Record<string, string>) =>
      emulator.fetch(new Request(announced.upload_url, { method: 'PUT', headers, body: 'a,b\n' }));
    const uploaded = () => emulator.fetch(post(web(`/files/${announced.file_id}/uploaded`), {}));
    expect((await uploaded()).status).toBe(400);
    expect((await put({ authorization: 'Bearer x' })).status).toBe(400);
    expect((await put({})).status).toBe(201);
    expect(await (await uploaded()).json()).toMatchObject({ status: 'success' });
  });
});
