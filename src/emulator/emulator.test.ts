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

  test('gives the same answer to the same question, at the pace that is asked for', async () => {
    const ask = async () => {
      const answer = await createEmulator({ now: () => 0, newId: () => 'id' }).fetch(
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

/** The fields of answers that the tests look at. */
type Answer = {
  id: string;
  created: number;
  output: Record<string, unknown>[];
  choices: { finish_reason: string; message: Record<string, unknown> }[];
  data: { url: string }[];
};

describe('what clients rely on', () => {
  const ask = async (path: string, body: object) =>
    (await (await createEmulator().fetch(post(at(path), { model: 'm', ...body }))).json()) as Answer;
  const messages = [{ role: 'user', content: 'How is the weather? Call get_weather.' }];
  const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };

  test.each(['web_search', 'custom', 'local_shell', 'mcp'])(
    'a tool of type %s is never called',
    async (type) => {
      const tools = [{ type, name: type === 'custom' ? 'get_weather' : undefined }];
      for (const choice of ['auto', 'required']) {
        const answer = await ask('/v1/responses', { input: 'How are you?', tools, tool_choice: choice });
        expect(answer.output[0]).toMatchObject({ type: 'message' });
        const chat = await ask('/v1/chat/completions', { messages, tools, tool_choice: choice });
        expect(chat.choices[0]?.finish_reason).toBe('stop');
      }
    },
  );

  test('a named function is called beside built-in tools', async () => {
    const tools = [{ type: 'web_search' }, { type: 'function', name: 'get_weather', parameters }];
    const { output } = await ask('/v1/responses', { input: 'Call get_weather', tools });
    expect(output).toMatchObject([{ type: 'function_call', name: 'get_weather' }]);
  });

  test('functions and function_call of older clients, whole and streamed, and the answer after it', async () => {
    const functions = [{ name: 'get_weather', parameters }];
    const whole = await ask('/v1/chat/completions', { messages, functions });
    expect(whole.choices.at(0)).toMatchObject({
      finish_reason: 'function_call',
      message: {
        content: null,
        function_call: { name: 'get_weather', arguments: expect.stringContaining('city') },
      },
    });
    expect(whole.choices[0]?.message).not.toHaveProperty('tool_calls');
    const streamed = await createEmulator().fetch(
      post(at('/v1/chat/completions'), { model: 'm', messages, functions, stream: true }),
    );
    const text = await streamed.text();
    expect(text).toContain('"delta":{"function_call":{"name":"get_weather","arguments":""}}');
    expect(text).toContain('"finish_reason":"function_call"');
    const none = await ask('/v1/chat/completions', { messages, functions, function_call: 'none' });
    expect(none.choices[0]?.finish_reason).toBe('stop');
    const after = await ask('/v1/chat/completions', {
      messages: [...messages, { role: 'function', name: 'get_weather', content: '21 degrees' }],
      functions,
    });
    expect(after.choices[0]?.message.content).toBe('The tool answered: 21 degrees');
  });

  test('ids are fresh, times are now, and the greeting is ASCII', async () => {
    const hello = () => ask('/v1/chat/completions', { messages: [{ role: 'user', content: 'Hello' }] });
    const [one, two] = [await hello(), await hello()];
    expect(one.id).not.toBe(two.id);
    expect(Math.abs(one.created - Date.now() / 1000)).toBeLessThan(60);
    expect(one.choices[0]?.message.content).toMatch(/^[ -~]+$/);
  });

  test('pictures are linked under the address that the gateway names, or are in the answer', async () => {
    const draw = async (links: string) => {
      const request = post(
        at('/v1/images/generations'),
        { prompt: 'A cat' },
        links === '' ? {} : { 'x-emulator-links': links },
      );
      return ((await (await createEmulator().fetch(request)).json()) as Answer).data[0]?.url;
    };
    expect(await draw('https://gate.example/v1')).toMatch(
      /^https:\/\/gate\.example\/v1\/emulator\/pictures\/.*\.png$/,
    );
    expect(await draw('https://evil.example, https://gate.example/v1')).toMatch(/^https:\/\/gate\.example\//);
    expect(await draw('data:')).toMatch(/^data:image\/png;base64,iVBOR/);
    const picture = await createEmulator().fetch(new Request(at('/v1/emulator/pictures/a-0-cat.png')));
    expect(picture.headers.get('content-type')).toBe('image/png');
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

  test.each([
    ['draw 2', 'file-drawn1'],
    ['Draw', 'file-drawn0'],
    ['code', '6 * 7'],
    ['/draw 2', 'file-drawn1'],
    ['draw me a cat', 'You said: draw me a cat'],
    ['constructor', 'You said: constructor'],
  ])('%s as a whole message', async (text, part) => {
    expect(await (await createEmulator().fetch(say(text))).text()).toContain(part);
  });

  test('says that it saw a picture', async () => {
    const parts = [{ content_type: 'image_asset_pointer' }, 'look'];
    const request = post(web('/conversation'), {
      model: 'gpt-4',
      messages: [{ author: { role: 'user' }, content: { parts } }],
    });
    expect(await (await createEmulator().fetch(request)).text()).toContain('You said: look I see a picture.');
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
