import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Emulated, startEmulator } from './emulated.ts';
import { type Running, runtimes } from './gateways.ts';

let quick: Emulated;
let slow: Emulated;
beforeAll(async () => {
  quick = await startEmulator();
  slow = await startEmulator({ chunkDelayMs: 150 });
});
afterAll(() => {
  quick.stop();
  slow.stop();
});

const post = (gateway: Running, content: string, more: object = {}, signal?: AbortSignal) =>
  fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer fk-caller', 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4', messages: [{ role: 'user', content }], ...more }),
    ...(signal ? { signal } : {}),
  });
const contentOf = async (gateway: Running, content: string) =>
  (await (await post(gateway, content)).json()).choices[0].message.content as string;
const hidden = (web: Emulated) => web.seen.filter((line) => line.startsWith('PATCH')).length;

describe.each(runtimes)('on $name', ({ start }) => {
  const backend = (web: Emulated, more: object = {}) =>
    start({
      SLUICE_CONFIG: JSON.stringify({
        upstreams: { web: { kind: 'backend-api', url: web.url, prefix: 'emulator-web' } },
        ...more,
      }),
    });

  describe('bot mode', () => {
    test.each([
      [
        {},
        {
          '/code': "I'll compute that.It is 42.",
          '/browse': 'A sluice is a channel with a gate.',
          '/draw': 'Here you are.',
        },
      ],
      [{ toolOutput: true }, { '/browse': /^Searched: what is a sluice\n\n- \[Sluice\]/ }],
      [{ citations: true }, { '/browse': /gate\[\[3\]\(https/ }],
      [{ markdownImages: true }, { '/draw': /^!\[A sluice, 0\]\(http/ }],
      [{ plainImageLinks: true }, { '/draw': /^http:\S+\.png\n\nHere you are\.$/ }],
    ])('%j', async (switches, wanted) => {
      const gateway = await backend(quick, { botMode: { enabled: true, ...switches } });
      for (const [words, text] of Object.entries(wanted)) {
        const content = (await contentOf(gateway, words))
          .replace(/ \[result\].*/, '')
          .replace('that.\n\nIt', 'that.It');
        if (typeof text === 'string') expect(content).toBe(text);
        else expect(content).toMatch(text);
      }
      await gateway.stop();
    });
  });

  test('silence on a stream is filled with empty chunks', async () => {
    const gateway = await backend(await slowAt(2400), { keepAlive: 1 });
    const text = await (await post(gateway, 'one', { stream: true })).text();
    expect(text).toContain('"delta":{},"finish_reason":null');
    expect(text).toMatch(/^(data: [^\n]+\n\n)+$/);
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
    await gateway.stop();
  });

  test('an answer that is not streamed may begin with spaces, and is JSON all the same', async () => {
    const gateway = await backend(await slowAt(1500), { keepAlive: 1, nonStreamKeepAlive: true });
    const text = await (await post(gateway, 'one')).text();
    expect(text).toMatch(/^ +\{/);
    expect(JSON.parse(text).choices[0].message.content).toBe('You said: one');
    const failed = JSON.parse(await (await post(gateway, '/fail')).text());
    expect(failed).toMatchObject({ error: { code: 'upstream_error' } });
    await gateway.stop();
  });

  test('a pace is kept', async () => {
    const gateway = await backend(quick, { pace: 50 });
    const started = Date.now();
    const text = await (await post(gateway, 'word '.repeat(20), { stream: true })).text();
    expect(Date.now() - started).toBeGreaterThan(250);
    const content = [...text.matchAll(/"content":"([^"]*)"/g)].map(([, piece]) => piece).join('');
    expect(content).toBe(`You said: ${'word '.repeat(20)}`);
    await gateway.stop();
  });

  test('conversations are hidden once they are answered, have failed, or were left', async () => {
    const gateway = await backend(slow);
    slow.seen.length = 0;
    await (await post(gateway, 'hi')).text();
    await expect.poll(() => hidden(slow), { timeout: 30_000 }).toBe(1);
    await (await post(gateway, '/fail')).text();
    await expect.poll(() => hidden(slow), { timeout: 30_000 }).toBe(2);
    const leave = new AbortController();
    const left = await post(
      gateway,
      'a long answer that nobody reads to its end',
      { stream: true },
      leave.signal,
    );
    const reader = (left.body as ReadableStream<Uint8Array>).getReader();
    for (let i = 0; i < 3; i++) await reader.read();
    leave.abort();
    await expect.poll(() => hidden(slow), { timeout: 30_000 }).toBe(3);
    expect(slow.seen.filter((line) => line.endsWith('/stop_conversation')).length).toBe(1);
    await gateway.stop();
  });

  test('they are left alone where that is wanted', async () => {
    const gateway = await backend(quick, { hideConversations: false });
    quick.seen.length = 0;
    await contentOf(gateway, 'hi');
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(hidden(quick)).toBe(0);
    await gateway.stop();
  });

  test('continuing is bounded, and may be off', async () => {
    const gateway = await backend(quick, { continueRounds: 0 });
    const { choices } = await (await post(gateway, '/long')).json();
    expect(choices[0]).toMatchObject({
      finish_reason: 'length',
      message: { content: 'This is the first half of a long ans' },
    });
    await gateway.stop();
  });

  test('an action is not allowed unless the owner says so', async () => {
    const gateway = await backend(quick);
    expect(await contentOf(gateway, '/act')).toContain('ALWAYS_ALLOW_ACTIONS');
    await gateway.stop();
  });

  test('names of one’s own and GPTs from the settings are models', async () => {
    const gateway = await backend(quick, {
      models: { mine: { upstream: 'web', model: 'gpt-4' } },
      gpts: { poet: { id: 'g-poet' } },
      keyForGptsInfo: 'fk-info',
    });
    for (const model of ['mine', 'poet']) {
      expect((await (await post(gateway, 'hi', { model })).json()).choices[0].message.content).toBe(
        'You said: hi',
      );
    }
    expect(quick.seen).toContain('GET /emulator-web/backend-api/gizmos/g-poet');
    const list = await (
      await fetch(`${gateway.url}/v1/models`, { headers: { authorization: 'Bearer fk-caller' } })
    ).json();
    expect(list.data.map(({ id }: { id: string }) => id)).toEqual(
      expect.arrayContaining(['mine', 'poet', 'gpt-4']),
    );
    await gateway.stop();
  });

  test('with both kinds of upstream, each gets its own', async () => {
    const gateway = await start({
      OPENAI_BASE_URL: quick.url,
      BASE_URL: slow.url,
      PROXY_API_PREFIX: 'emulator-web',
    });
    slow.seen.length = 0;
    await contentOf(gateway, 'hi');
    expect(slow.seen).toEqual([]);
    await (await post(gateway, 'x', { model: 'gpt-4-s' })).text();
    expect(slow.seen[0]).toBe('POST /emulator-web/backend-api/conversation');
    await gateway.stop();
  });
});

const paces = new Map<number, Promise<Emulated>>();

function slowAt(ms: number): Promise<Emulated> {
  const known = paces.get(ms) ?? startEmulator({ firstDelayMs: ms });
  paces.set(ms, known);
  return known;
}

afterAll(async () => {
  for (const web of paces.values()) (await web).stop();
});
