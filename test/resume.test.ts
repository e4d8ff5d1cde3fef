import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Running, runtimes } from './gateways.ts';
import {
  answer,
  chunk,
  type RawUpstream,
  type Script,
  type Step,
  startRawUpstream,
  stream,
  streamHead,
} from './raw-upstream.ts';

const path = '/backend-api/conversation';
const resumePath = '/backend-api/f/conversation/resume';
const storedPath = `${path}/c1`;
const token = 'secret-token-of-the-stream';

const text = 'Gates rise, Wasser fällt, 水 flows. 🌊 And “all” of it once.';
const event = (value: object) => `event: delta\ndata: ${JSON.stringify(value)}\n\n`;
const message = (content: string, isLast: boolean) => ({
  id: 'm1',
  author: { role: 'assistant' },
  content: { content_type: 'text', parts: [content] },
  status: isLast ? 'finished_successfully' : 'in_progress',
  end_turn: isLast ? true : null,
  metadata: {},
  recipient: 'all',
});
const appended = [...text].map((character, i) =>
  event(i === 0 ? { p: '/message/content/parts/0', o: 'append', v: character } : { v: character }),
);
const opening = [
  'event: delta_encoding\ndata: "v1"\n\n',
  `data: ${JSON.stringify({ type: 'resume_conversation_token', kind: 'conduit', token, conversation_id: 'c1' })}\n\n`,
  event({ p: '', o: 'add', v: { message: message('', false), conversation_id: 'c1' }, c: 0 }),
];
const closing = event({
  p: '',
  o: 'patch',
  v: [
    { p: '/message/status', o: 'replace', v: 'finished_successfully' },
    { p: '/message/end_turn', o: 'replace', v: true },
  ],
});
const events = [...opening, ...appended, closing];
const whole = [...events, 'data: [DONE]\n\n'];
/** The first events of the stream, and no more. */
const brokenAfter = (count: number): readonly Step[] => stream(events.slice(0, count).join(''));
const handoff = (...types: string[]) => {
  const options = types.map((type) => ({ type, topic_id: 'topic-1' }));
  return stream(
    ...opening.slice(0, 2),
    `data: ${JSON.stringify({ type: 'stream_handoff', conversation_id: 'c1', options })}\n\n`,
    'data: [DONE]\n\n',
  );
};
const stored = (content: string) =>
  answer(
    200,
    JSON.stringify({
      current_node: 'm1',
      mapping: {
        u: { id: 'u', parent: null, message: { ...message('x', true), id: 'u', author: { role: 'user' } } },
        m1: { id: 'm1', parent: 'u', message: message(content, true) },
      },
    }),
  );

let first: Script = () => [];
let second: Script = () => [];
let third: Script = () => [];
let upstream: RawUpstream;
beforeAll(async () => {
  upstream = await startRawUpstream({
    [path]: (n, request) => first(n, request),
    [resumePath]: (n, request) => second(n, request),
    [storedPath]: (n, request) => third(n, request),
  });
});
afterAll(() => upstream.stop());

describe.each(runtimes)('an answer whose stream is lost on $name', ({ start }) => {
  let gateway: Running;
  beforeAll(async () => {
    gateway = await start({
      SLUICE_CONFIG: JSON.stringify({
        hideConversations: false,
        upstreams: { web: { kind: 'backend-api', url: upstream.url, key: 'fk-server' } },
      }),
      PUBLIC_RELAY: 'true',
    });
  });
  afterAll(() => gateway.stop());

  const ask = async (isStreamed: boolean): Promise<{ content: string; raw: string; status: number }> => {
    upstream.asked.clear();
    upstream.requests.length = 0;
    const response = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'gpt-4',
        stream: isStreamed,
        messages: [{ role: 'user', content: 'x' }],
      }),
    });
    let raw = '';
    const decoder = new TextDecoder();
    try {
      for await (const bytes of response.body as ReadableStream<Uint8Array>)
        raw += decoder.decode(bytes, { stream: true });
    } catch {
      // A stream that ends with an error is cut.
    }
    const { status } = response;
    if (!isStreamed) return { content: JSON.parse(raw).choices?.[0].message.content ?? '', raw, status };
    const content = raw
      .split('\n')
      .filter((line) => line.startsWith('data: {'))
      .map((line) => JSON.parse(line.slice(6)).choices?.[0]?.delta?.content ?? '')
      .join('');
    return { content, raw, status };
  };

  describe.each([true, false])('(streamed: %s)', (isStreamed) => {
    test('is resumed with its token after a break at any event', { timeout: 60_000 }, async () => {
      second = () => stream(...whole);
      for (let count = 3; count < events.length; count += 5) {
        first = () => brokenAfter(count);
        const { content, raw } = await ask(isStreamed);
        expect(content).toBe(text);
        expect(raw).not.toContain(token);
        const [, resumed = ''] = upstream.requests;
        expect(resumed).toContain(`x-conduit-token: ${token}`);
        expect(resumed).toContain('{"conversation_id":"c1","offset":0}');
        expect(upstream.asked.get(storedPath)).toBeUndefined();
      }
    });

    test('is resumed if its connection is reset', { timeout: 20_000 }, async () => {
      first = () => [streamHead, chunk(events.slice(0, 20).join('')), 700, 'reset'];
      second = () => stream(...whole);
      expect((await ask(isStreamed)).content).toBe(text);
    });

    test('is resumed again if it breaks again', { timeout: 20_000 }, async () => {
      first = () => brokenAfter(10);
      second = (n) => (n < 3 ? brokenAfter(n * 20) : stream(...whole));
      expect((await ask(isStreamed)).content).toBe(text);
      expect(upstream.asked.get(resumePath)).toBe(3);
    });

    test('is read from the stored conversation if it cannot be resumed', { timeout: 20_000 }, async () => {
      first = () => brokenAfter(10);
      second = () => [answer(404, '{"detail":"Nothing to resume."}')];
      third = () => [stored(text)];
      expect((await ask(isStreamed)).content).toBe(text);
      second = () => [answer(200, '{"no":"stream"}')];
      expect((await ask(isStreamed)).content).toBe(text);
    });

    test('is an error if no way is left', { timeout: 20_000 }, async () => {
      first = () => brokenAfter(10);
      second = () => [answer(404, JSON.stringify({ detail: `No such token: ${token}` }))];
      third = () => [answer(404, '{"detail":"Gone."}')];
      const { raw } = await ask(isStreamed);
      // The error line of a stream that is cut may not arrive.
      if (!isStreamed) expect(raw).toContain('broke off in the middle');
      expect(raw).not.toContain(token);
      expect(raw).not.toContain('[DONE]');
    });

    test('is followed by a request if the upstream hands it over', { timeout: 20_000 }, async () => {
      first = () => handoff('resume_sse_endpoint');
      second = () => stream(...whole);
      expect((await ask(isStreamed)).content).toBe(text);
      first = () => handoff('subscribe_ws_topic', 'resume_sse_endpoint');
      expect((await ask(isStreamed)).content).toBe(text);
    });

    test('is stored if the socket that it is handed to is not there', { timeout: 20_000 }, async () => {
      first = () => handoff('subscribe_ws_topic');
      third = () => [stored(text)];
      expect((await ask(isStreamed)).content).toBe(text);
      expect(upstream.asked.get(resumePath)).toBeUndefined();
    });
  });
});

describe.each(runtimes)('an answer of the background on $name', ({ start }) => {
  test('is waited for as long as BACKGROUND_TIMEOUT says', { timeout: 20_000 }, async () => {
    const gateway = await start({
      SLUICE_CONFIG: JSON.stringify({
        hideConversations: false,
        upstreams: { web: { kind: 'backend-api', url: upstream.url, key: 'fk-server' } },
      }),
      PUBLIC_RELAY: 'true',
      BACKGROUND_TIMEOUT: '1',
    });
    const status = { type: 'conversation_async_status', async_status: 7, conversation_id: 'c1' };
    first = () => stream(`data: ${JSON.stringify(status)}\n\n`, 'data: [DONE]\n\n');
    third = () => [answer(200, '{"mapping":{}}')];
    const response = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-4', messages: [{ role: 'user', content: 'x' }] }),
    });
    expect(response.status).toBe(504);
    expect(await response.text()).toContain('BACKGROUND_TIMEOUT');
    await gateway.stop();
  });
});
