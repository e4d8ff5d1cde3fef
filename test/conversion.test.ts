import { createOpenAI } from '@ai-sdk/openai';
import { ChatOpenAI } from '@langchain/openai';
import { streamText } from 'ai';
import OpenAI, { APIError } from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Emulated, startEmulator } from './emulated.ts';
import { type Running, runtimes } from './gateways.ts';
import { readUntilBroken } from './read-until-broken.ts';

let web: Emulated;
beforeAll(async () => {
  web = await startEmulator();
});
afterAll(() => web.stop());

describe.each(runtimes)('a backend-api upstream behind a gateway on $name', ({ start }) => {
  let gateway: Running;
  let client: OpenAI;
  beforeAll(async () => {
    gateway = await start({
      BASE_URL: web.url,
      PROXY_API_PREFIX: 'emulator-web',
      ALWAYS_ALLOW_ACTIONS: 'true',
      KEEPALIVE_SECONDS: '1',
    });
    client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'fk-caller', maxRetries: 0 });
  });
  afterAll(() => gateway.stop());

  const ask = async (content: string, more: object = {}) => {
    const answer = await client.chat.completions.create({
      model: 'gpt-4',
      messages: [{ role: 'user', content }],
      ...more,
    });
    return answer.choices[0];
  };
  const stream = async (content: string, more: object = {}) => {
    const response = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: 'Bearer fk-caller', 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-4', stream: true, messages: [{ role: 'user', content }], ...more }),
    });
    // A broken answer ends unclean after its error line.
    const { text, isBroken } = await readUntilBroken(response);
    const data = text
      .split('\n')
      .filter((line) => line.startsWith('data: '))
      .map((line) => line.slice(6));
    const done = data.at(-1) === '[DONE]';
    // biome-ignore lint/suspicious/noExplicitAny: chunks are looked into freely here
    const chunks = data.filter((line) => line !== '[DONE]').map((line) => JSON.parse(line) as any);
    return { response, text, chunks, done, isBroken };
  };
  // biome-ignore lint/suspicious/noExplicitAny: see above
  const joined = (chunks: any[], field = 'content') =>
    chunks.map(({ choices }) => choices?.[0]?.delta?.[field] ?? '').join('');

  test.each([
    ['plain words', 'You said: plain words'],
    ['/v1 plain words', 'You said: plain words'],
    [
      '/code',
      /^I'll compute that\.\n\n```python\nprint\(6 \* 7\)\n```\n\n```\n42\n```\n\nIt is 42\. \[result\]\(http:[^)]+result(?:%20|_)%281%29\.csv\) has it all\.$/,
    ],
    [
      '/v1 /code',
      /^I'll compute that\.\n\n```python\nprint\(6 \* 7\)\n```\n\n```\n42\n```\n\nIt is 42\. \[result\]\(http:/,
    ],
    [
      '/plot',
      /^```python\nplt\.plot\(\[1, 2\]\)\nplt\.show\(\)\n```\n\n!\[image\]\(http:[^)]+\.png\)\n\nThere is the plot\.$/,
    ],
    [
      '/browse',
      /^> Searched: what is a sluice\n\n> - \[Sluice\]\(https:\/\/en\.wikipedia\.org\/wiki\/Sluice\)\n\nA sluice is a channel with a gate\[\[3\]\(https:\/\/en\.wikipedia\.org\/wiki\/Sluice\)\]\.$/,
    ],
    ['/cite', 'Water flows([wikipedia](https://en.wikipedia.org/wiki/Sluice)) downhill.'],
    [
      '/draw 2',
      /^!\[A sluice, 0\]\(http:[^)]+\.png\)\n\n!\[A sluice, 1\]\(http:[^)]+\.png\)\n\nHere you are\.$/,
    ],
    ['/later', /^!\[A sluice\]\(http:[^)]+\.png\)$/],
    ['/handoff', 'Answered out of sight.'],
    ['/moved', 'Resumed by a request.'],
    ['/resume', 'This answer breaks in the middle, and is resumed.'],
    ['/repair', 'This stream is lost, the answer is stored.'],
    ['/research', 'A report about sluices.'],
    ['/question', 'Which sluices?'],
    ['/declined', 'I cannot draw that.'],
    ['/canvas', 'I wrote a poem.\n\n**Poem**\n\nGates rise,\nwater falls.'],
    ['/remember', 'Noted.'],
    ['/long', 'This is the first half of a long answer, and this is the second.'],
    [
      '/act',
      /^```json\n\{"city":"Delft"\}\n```\n\n```\n\{"degrees":21\}\n```\n\nIt is 21 degrees in Delft\.$/,
    ],
    ['/tool', '```python\n1/0\n```\n\n```\nTimeoutError: Timed out\n```\n\nThe tool is busy, sorry.'],
  ])('%s reads the same streamed and whole', async (content, wanted) => {
    const [whole, { chunks, done }] = await Promise.all([ask(content), stream(content)]);
    if (typeof wanted === 'string') expect(whole?.message.content).toBe(wanted);
    else expect(whole?.message.content).toMatch(wanted);
    expect(joined(chunks)).toBe(whole?.message.content);
    expect(whole?.finish_reason).toBe('stop');
    expect(done).toBe(true);
  });

  test('earlier answers that the upstream sends back are left out', async () => {
    for (const [command, wanted] of [
      ['And now?', 'You said: And now?'],
      ['/v1 And now?', 'You said: And now?'],
    ]) {
      const messages = [
        { role: 'user' as const, content: 'First?' },
        { role: 'assistant' as const, content: 'An earlier answer.' },
        { role: 'user' as const, content: command as string },
      ];
      const answer = await client.chat.completions.create({ model: 'gpt-4', messages });
      expect(answer.choices[0]?.message.content).toBe(wanted);
      expect(joined((await stream('', { messages })).chunks)).toBe(wanted);
    }
  });

  test('text that changes: the last version, or a correction in a stream', async () => {
    expect((await ask('/wire changed'))?.message.content).toBe('The answer is 42');
    expect(joined((await stream('/wire changed')).chunks)).toBe(
      'The answer is 41\n\n> Note: the upstream changed its answer. The corrected text follows.\n\nThe answer is 42',
    );
  });

  test('the SDK’s stream helper rebuilds an answer with several sources', async () => {
    const helper = client.chat.completions.stream({
      model: 'gpt-4',
      messages: [{ role: 'user', content: '/wire shapes' }],
    });
    const message = await helper.finalMessage();
    const whole = (await ask('/wire shapes'))?.message;
    expect(message.content).toBe(whole?.content);
    expect((message as typeof whole)?.annotations).toEqual(whole?.annotations);
    expect(whole?.annotations).toHaveLength(6);
  });

  test('an answer that must be JSON is told so, and is an error if it is none', async () => {
    const format = (strict: boolean) => ({
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'a', strict, schema: { type: 'object' } },
      },
    });
    expect((await ask('{"a":1}', format(false)))?.message.content).toBe('You said: {"a":1}');
    await expect(ask('{"a":1}', format(true))).rejects.toThrow('valid JSON');
  });

  test('reasoning stands apart from the answer', async () => {
    const whole = await ask('/think');
    expect(whole?.message).toMatchObject({
      content: 'Water finds its way.',
      reasoning_content: 'Thinking: About water.',
    });
    expect(joined((await stream('/think')).chunks, 'reasoning_content')).toBe('Thinking: About water.');
  });

  test('sources are annotations too, and say where they stand', async () => {
    const whole = await ask('/browse');
    const [citation] = whole?.message.annotations ?? [];
    expect(citation?.url_citation).toMatchObject({
      url: 'https://en.wikipedia.org/wiki/Sluice',
      title: 'Sluice',
    });
    const { start_index: from, end_index: to } = citation?.url_citation ?? { start_index: 0, end_index: 0 };
    expect(whole?.message.content?.slice(from, to)).toBe('[[3](https://en.wikipedia.org/wiki/Sluice)]');
  });

  test('the shape of a stream is the API’s', async () => {
    const { response, chunks, text, done } = await stream('/code', {
      stream_options: { include_usage: true },
    });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
    expect(new Set(chunks.map(({ created, model, object }) => `${created} ${model} ${object}`)).size).toBe(1);
    expect(chunks[0].choices[0].delta).toEqual({ role: 'assistant', content: '' });
    expect(chunks.filter(({ choices }) => choices[0]?.finish_reason).length).toBe(1);
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: expect.any(Number) } });
    expect(text.match(/\[DONE\]/g)?.length).toBe(1);
    expect(done).toBe(true);
    expect((await stream('/code')).chunks.some(({ usage }) => usage !== undefined)).toBe(false);
  });

  test('n, stop and max_tokens are honoured here', async () => {
    const answer = await client.chat.completions.create({
      model: 'gpt-4',
      n: 3,
      stop: ['words'],
      messages: [{ role: 'user', content: 'three words' }],
    });
    expect(answer.choices.map(({ message, finish_reason }) => [message.content, finish_reason])).toEqual(
      Array(3).fill(['You said: three ', 'stop']),
    );
    const short = await ask('one two three four five six seven eight nine ten', { max_tokens: 4 });
    expect(short?.finish_reason).toBe('length');
    expect((short?.message.content ?? '').length).toBeLessThan(30);
    const { chunks } = await stream('hello', { n: 2 });
    expect(
      new Set(chunks.flatMap(({ choices }) => choices.map(({ index }: { index: number }) => index))),
    ).toEqual(new Set([0, 1]));
  });

  test.each([
    ['/error 401', 401, 'invalid_api_key'],
    ['/error 403', 502, 'upstream_error'],
    ['/error 404', 404, 'not_found'],
    ['/error 413', 400, 'context_length_exceeded'],
    ['/error 422', 400, 'invalid_request'],
    ['/error 429', 429, 'rate_limit_exceeded'],
    ['/error 500', 502, 'upstream_error'],
    ['/error 200', 502, 'upstream_error'],
    ['/failfirst', 502, 'upstream_error'],
  ])('%s before the first byte is a %d, streamed or not', async (content, status, code) => {
    for (const streaming of [false, true]) {
      const response = await fetch(`${gateway.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: 'Bearer fk-caller', 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'gpt-4', stream: streaming, messages: [{ role: 'user', content }] }),
      });
      expect([response.status, await response.json()]).toMatchObject([
        status,
        { error: { code, message: expect.not.stringMatching(/<|secret/) } },
      ]);
      if (status === 429) expect(response.headers.get('retry-after')).toBe('130');
    }
  });

  test.each(['/fail', '/break'])(
    '%s after it ends the stream with an error the SDK raises, and is no success whole',
    async (content) => {
      const { chunks, done, isBroken } = await stream(content);
      expect(isBroken).toBe(true);
      expect(chunks.at(-1)).toMatchObject({ error: { code: 'upstream_error' } });
      expect(done).toBe(false);
      expect(chunks.some(({ choices }) => choices?.[0]?.finish_reason)).toBe(false);
      await expect(ask(content)).rejects.toThrow(APIError);
    },
  );

  test('moderation ends an answer as content_filter', async () => {
    expect(await ask('/blocked')).toMatchObject({
      finish_reason: 'content_filter',
      message: { content: 'I started to' },
    });
  });

  test.each([
    [{ messages: [] }, 'messages'],
    [{ messages: [{ role: 'wizard', content: 'x' }] }, 'messages[0].role'],
    [{ messages: [{ role: 'user', content: [{ type: 'image_url' }] }] }, 'messages[0].content[0]'],
    [{ n: 100 }, 'n'],
    [{ stop: 5 }, 'stop'],
    [{ max_tokens: -1 }, 'max_tokens'],
    [{ stream: 'yes' }, 'stream'],
    [{ model: 'gpt-9' }, 'model'],
  ])('%j is refused by name', async (wrong, param) => {
    const response = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: 'Bearer fk-caller', 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-4', messages: [{ role: 'user', content: 'x' }], ...wrong }),
    });
    expect(response.status).toBe('model' in wrong ? 404 : 400);
    expect(await response.json()).toMatchObject({ error: { param } });
  });

  test('200 conversations at once stay apart', async () => {
    const answers = await Promise.all(Array.from({ length: 200 }, (_, i) => ask(`marker-${i}-end`)));
    expect(answers.map((answer) => answer?.message.content)).toEqual(
      answers.map((_, i) => `You said: marker-${i}-end`),
    );
  });

  test('models are listed, GPTs are models', async () => {
    const { data } = await client.models.list();
    expect(data.map(({ id }) => id)).toEqual(expect.arrayContaining(['gpt-4', 'gpt-4-s', 'gpt-3.5-turbo']));
    expect(await ask('hi', { model: 'gpt-4-gizmo-g-abc123' })).toMatchObject({
      message: { content: 'You said: hi' },
    });
    expect(await client.models.retrieve('gpt-4')).toMatchObject({ id: 'gpt-4' });
    await expect(client.models.retrieve('gpt-9')).rejects.toThrow('not served');
  });

  test('a model of the upstream’s own list is listed, found and served', async () => {
    const { data } = await client.models.list();
    const owners = Object.fromEntries(data.map(({ id, owned_by }) => [id, owned_by]));
    expect(owners['gpt-5-3']).toBe(owners['gpt-4']);
    expect(data.filter(({ id }) => id === 'gpt-4')).toHaveLength(1);
    expect(await client.models.retrieve('gpt-5-3')).toMatchObject({ id: 'gpt-5-3' });
    const before = web.seen.length;
    expect(await ask('hi', { model: 'gpt-5-3' })).toMatchObject({ message: { content: 'You said: hi' } });
    expect(web.payloads.at(-1)).toMatchObject({ model: 'gpt-5-3' });
    // The list is cached for this key.
    expect(web.seen.slice(before).filter((line) => line.endsWith('/models'))).toEqual([]);
  });

  test('a name that stays unknown is a 404 with the nearest names', async () => {
    const failure = await ask('hi', { model: 'gpt-5-4' }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ status: 404, code: 'model_not_found' });
    expect(String((failure as Error).message)).toContain('"gpt-5-3"');
  });

  test('a known name is served without a look at the list', async () => {
    const fresh = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: 'Bearer fk-never-listed', 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-4', messages: [{ role: 'user', content: 'x' }] }),
    });
    expect(fresh.status).toBe(200);
    const before = web.seen.length;
    const other = await fetch(`${gateway.url}/v1/models`, {
      headers: { authorization: 'Bearer fk-never-listed' },
    });
    expect((await other.json()).data.map(({ id }: { id: string }) => id)).toContain('gpt-5-3');
    // Another key had no list yet, so it is read with that key.
    expect(web.seen.slice(before).filter((line) => line.endsWith('/models'))).toHaveLength(1);
  });

  test('the SDK’s stream helper, the AI SDK and LangChain read it', async () => {
    const final = await client.chat.completions
      .stream({ model: 'gpt-4', messages: [{ role: 'user', content: '/code' }] })
      .finalContent();
    expect(final).toContain('It is 42.');
    const provider = createOpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'fk-caller' });
    let text = '';
    for await (const piece of streamText({ model: provider.chat('gpt-4'), prompt: 'What is a lock?' })
      .textStream)
      text += piece;
    expect(text).toBe('You said: What is a lock?');
    const chain = new ChatOpenAI({
      model: 'gpt-4',
      apiKey: 'fk-caller',
      configuration: { baseURL: `${gateway.url}/v1` },
    });
    expect((await chain.invoke('What is a weir?')).content).toBe('You said: What is a weir?');
  });
});

describe.each(runtimes)('what chat UIs send, on $name', ({ start }) => {
  let gateway: Running;
  beforeAll(async () => {
    gateway = await start({});
  });
  afterAll(() => gateway.stop());

  const send = (path: string, body: object, headers: Record<string, string> = {}) =>
    fetch(gateway.url + path, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: 'Bearer fk-caller',
        origin: 'https://chat.example',
        ...headers,
      },
      body: JSON.stringify(body),
    });

  test.each(['gpt-4-s', 'gpt-4o'])('NextChat’s chat, its balance and its model list (%s)', async (model) => {
    const answer = await send(
      '//v1/chat/completions',
      {
        messages: [
          { role: 'system', content: '\nYou are ChatGPT.\nCurrent model: gpt-4\n' },
          { role: 'user', content: 'hi' },
          { role: 'assistant', content: '' },
          { role: 'user', content: [{ type: 'text', text: 'What is a weir?' }] },
        ],
        stream: true,
        model,
        temperature: 0.5,
        presence_penalty: 0,
        frequency_penalty: 0,
        top_p: 1,
        max_tokens: 4000,
      },
      { accept: 'application/json, text/event-stream', 'x-requested-with': 'XMLHttpRequest' },
    );
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(await answer.text()).toMatch(/weir.*\[DONE\]\n\n$/s);
    const usage = await fetch(
      `${gateway.url}/dashboard/billing/usage?start_date=2024-1-1&end_date=2024-2-1`,
      { headers: { authorization: 'Bearer fk-caller' } },
    );
    expect(await usage.json()).toMatchObject({ total_usage: expect.any(Number) });
    const list = await fetch(`${gateway.url}/v1/models`, {
      headers: { 'x-requested-with': 'XMLHttpRequest' },
    });
    const { data } = (await list.json()) as { data: { id: string }[] };
    expect(data.map(({ id }) => id)).toEqual(expect.arrayContaining(['gpt-4-s', 'gpt-4o']));
  });

  test('LobeChat’s chat, which asks for usage', async () => {
    const answer = await send('/v1/chat/completions', {
      messages: [{ role: 'user', content: 'What is a lock?' }],
      model: 'gpt-4-s',
      stream: true,
      stream_options: { include_usage: true },
      temperature: 1,
      top_p: 1,
      user: 'me',
      tools: [
        { type: 'function', function: { name: 'search', parameters: { type: 'object', properties: {} } } },
      ],
    });
    const lines = (await answer.text()).trim().split('\n\n');
    expect(JSON.parse((lines.at(-2) ?? '').slice('data: '.length))).toMatchObject({
      choices: [],
      usage: { completion_tokens: expect.any(Number) },
    });
    expect(lines.at(-1)).toBe('data: [DONE]');
  });

  test('the SDK’s runTools loop ends with an answer, though the upstream takes no tools', async () => {
    const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'fk-caller' });
    const runner = client.chat.completions.runTools({
      model: 'gpt-4-s',
      messages: [{ role: 'user', content: 'hello' }],
      tools: [
        {
          type: 'function',
          function: {
            name: 'f',
            description: 'f',
            parse: JSON.parse,
            function: () => 'x',
            parameters: { type: 'object', properties: {} },
          },
        },
      ],
      stream: true,
    });
    expect(await runner.finalContent()).toBe('You said: hello');
  });
});
