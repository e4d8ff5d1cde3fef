import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Emulated, startEmulator } from './emulated.ts';
import { type Running, runtimes } from './gateways.ts';
import {
  answer,
  chunk,
  done,
  event,
  lastChunk,
  type RawUpstream,
  type Script,
  startRawUpstream,
  stream,
  streamHead,
} from './raw-upstream.ts';
import { readUntilBroken } from './read-until-broken.ts';

/** Upstreams whose behaviour each test sets; both count what they are asked. */
const behaviour: { a: Script; b: Script } = { a: () => [], b: () => [] };
let a: RawUpstream;
let b: RawUpstream;
let web: Emulated;
const path = '/v1/chat/completions';
const ok = (who: string) => () => [answer(200, JSON.stringify({ who }))];

beforeAll(async () => {
  a = await startRawUpstream({
    [path]: (n, r) => behaviour.a(n, r),
    '/v1/fine_tuning/jobs': (n, r) => behaviour.a(n, r),
  });
  b = await startRawUpstream({ [path]: (n, r) => behaviour.b(n, r) });
  web = await startEmulator();
});
afterAll(() => {
  a.stop();
  b.stop();
  web.stop();
});
beforeEach(() => {
  for (const each of [a, b]) {
    each.asked.clear();
    each.requests.length = 0;
  }
  behaviour.a = ok('a');
  behaviour.b = ok('b');
});
const counts = () => [a.asked.get(path) ?? 0, b.asked.get(path) ?? 0];

describe.each(runtimes)('on $name', ({ name, start }) => {
  const open: Running[] = [];
  afterAll(() => Promise.all(open.map((each) => each.stop())));

  const gatewayWith = async (config: object, env: Record<string, string> = {}): Promise<string> => {
    const gateway = await start({
      SLUICE_CONFIG: JSON.stringify(config),
      PUBLIC_RELAY: 'true',
      FIRST_BYTE_TIMEOUT: '1',
      IDLE_TIMEOUT: '2',
      ...env,
    });
    open.push(gateway);
    return gateway.url;
  };
  const both = (
    more: object = {},
    entry: object = { upstreams: [{ upstream: 'a' }, { upstream: 'b', model: 'other' }] },
  ) => ({
    upstreams: {
      a: { kind: 'openai', url: `${a.url}/v1`, key: 'sk-server-a' },
      b: { kind: 'openai', url: `${b.url}/v1`, key: 'sk-server-b' },
    },
    models: { m: entry },
    ...more,
  });
  const ask = (url: string, more: object = {}, init: RequestInit = {}) =>
    fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'x' }], ...more }),
      ...init,
    });
  const who = async (response: Response) => ((await response.json()) as { who: string }).who;

  describe('before the first byte', () => {
    // A gateway for each: one remembers who failed often.
    let url: string;
    beforeEach(async () => {
      url = await gatewayWith(both());
    });

    test.each<[string, Script]>([
      ['a 503', () => [answer(503, '{}')]],
      ['a 429', () => [answer(429, '{}', { 'retry-after-ms': '1' })]],
      ['a 500', () => [answer(500, '{}')]],
      ['a 529', () => [answer(529, '{}')]],
      ['a reset', () => ['reset']],
      ['silence', () => ['never']],
      ['a stream that begins with an error', () => stream('data: {"error":{"message":"overloaded"}}\n\n')],
      [
        'a comment, then an error',
        () => [streamHead, chunk(': wait\n\n'), 20, chunk('event: error\ndata: {}\n\n'), lastChunk],
      ],
    ])('%s leads to the next upstream, under its own name for the model', async (_, script) => {
      behaviour.a = script;
      const response = await ask(url, { stream: true });
      expect(response.status).toBe(200);
      expect(await who(response)).toBe('b');
      expect(b.requests.at(-1)).toContain('"model":"other"');
      expect(b.requests.at(-1)).toMatch(/authorization: Bearer sk-server-b/i);
    });

    test.each([400, 404, 422])('a %i is passed on: it would be the same everywhere', async (status) => {
      behaviour.a = () => [answer(status, '{"error":{"message":"no"}}')];
      const response = await ask(url);
      expect(response.status).toBe(status);
      expect(counts()).toEqual([1, 0]);
    });

    test.each([401, 403])('a %i of the gateway’s own key is a 502 that names it', async (status) => {
      behaviour.a = () => [answer(status, '{"error":{"message":"no such key"}}')];
      const response = await ask(url);
      expect(response.status).toBe(502);
      const { error } = (await response.json()) as { error: { code: string; message: string } };
      expect(error.code).toBe('upstream_credentials');
      expect(error.message).toContain('no such key');
      expect(counts()).toEqual([1, 0]);
    });

    test('where all fail, the last one’s own words come back', async () => {
      behaviour.a = () => [answer(503, '{"error":{"message":"a is down"}}')];
      behaviour.b = () => [answer(500, '{"error":{"message":"b is down"}}')];
      const response = await ask(url);
      expect(response.status).toBe(500);
      expect(await response.text()).toContain('b is down');
    });

    test('a stream whose first event is good is that one’s, whole and untouched', async () => {
      const text = `: hi\n\n${event('Hello')}${done}`;
      behaviour.a = () => stream(...(text.match(/[\s\S]{1,7}/g) ?? []));
      const response = await ask(url, { stream: true });
      expect(await response.text()).toBe(text);
      expect(counts()).toEqual([1, 0]);
    });

    test('a stream that says nothing for long is kept', async () => {
      behaviour.a = () => [streamHead, chunk(': wait\n\n'), 2300, chunk(event('late') + done), lastChunk];
      const short = await gatewayWith(both(), { IDLE_TIMEOUT: '5' });
      expect(await (await ask(short, { stream: true })).text()).toContain('late');
      expect(counts()).toEqual([1, 0]);
    });
  });

  test('after the first byte nobody else is asked', async () => {
    const url = await gatewayWith(both());
    behaviour.a = () => [streamHead, chunk(event('half')), 30, 'reset'];
    const { text, isBroken } = await readUntilBroken(await ask(url, { stream: true }));
    expect(isBroken).toBe(true);
    expect(text).toContain('half');
    expect(text).toMatch(/data: \{"error":.*\}\n\n$/);
    expect(text).not.toContain('[DONE]');
    expect(counts()).toEqual([1, 0]);
  });

  test('a stream that breaks in its first event is replaced by the next upstream’s', async () => {
    const url = await gatewayWith(both());
    behaviour.a = () => [streamHead, chunk('data: {"choi'), 30, 'reset'];
    const text = await (await ask(url, { stream: true })).text();
    expect(text).toContain('"who":"b"');
    expect(counts()).toEqual([1, 1]);
  });

  test('what may not be done twice is not', async () => {
    const url = await gatewayWith(both());
    behaviour.a = () => ['reset'];
    const response = await fetch(`${url}/v1/fine_tuning/jobs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    expect(response.status).toBe(502);
    expect(a.asked.get('/v1/fine_tuning/jobs')).toBe(1);
  });

  // In workerd a body goes through as it arrives, and so only once.
  test.runIf(name === 'node')('a connection that is lost before an answer is tried once more', async () => {
    const url = await gatewayWith({ upstreams: { a: { kind: 'openai', url: `${a.url}/v1`, key: 'k' } } });
    behaviour.a = (n) => (n === 1 ? ['reset'] : [answer(200, '{"who":"a"}')]);
    expect(await who(await ask(url))).toBe('a');
    expect(counts()).toEqual([2, 0]);
  });

  test('retries come later each time, as long as the upstream asks for', async () => {
    const url = await gatewayWith(
      { upstreams: { a: { kind: 'openai', url: `${a.url}/v1`, key: 'k' } } },
      { RETRIES: '2' },
    );
    behaviour.a = (n) => [
      n < 3 ? answer(503, '{}', n === 1 ? { 'retry-after-ms': '600' } : {}) : answer(200, '{"who":"a"}'),
    ];
    const began = Date.now();
    expect(await who(await ask(url))).toBe('a');
    expect(Date.now() - began).toBeGreaterThanOrEqual(800);
    expect(counts()).toEqual([3, 0]);
  });

  test('another key of the same owner is used where one is refused, and rests then', async () => {
    const url = await gatewayWith({
      upstreams: { a: { kind: 'openai', url: `${a.url}/v1`, keys: ['sk-bad', 'sk-good'] } },
    });
    for (const status of [401, 429]) {
      behaviour.a = (_, request) => [
        request.includes('sk-bad') ? answer(status, '{}') : answer(200, '{"who":"a"}'),
      ];
      for (let i = 0; i < 4; i++) expect((await ask(url)).status).toBe(200);
    }
    const bad = a.requests.filter((request) => request.includes('sk-bad')).length;
    expect(bad).toBeLessThanOrEqual(2);
  });

  test('keys are used in turn', async () => {
    const url = await gatewayWith({
      upstreams: { a: { kind: 'openai', url: `${a.url}/v1`, keys: ['sk-one', 'sk-two'] } },
    });
    for (let i = 0; i < 6; i++) await ask(url);
    expect(a.requests.map((request) => /Bearer (\S+)/.exec(request)?.[1])).toEqual(
      Array.from({ length: 6 }, (_, i) => (i % 2 === 0 ? 'sk-one' : 'sk-two')),
    );
  });

  test('weights divide the load, and the others stand behind', async () => {
    const url = await gatewayWith(
      both(
        {},
        {
          upstreams: [
            { upstream: 'a', weight: 3 },
            { upstream: 'b', weight: 1 },
          ],
        },
      ),
    );
    for (let i = 0; i < 200; i++) await (await ask(url)).arrayBuffer();
    const [toA = 0, toB = 0] = counts();
    expect(toA + toB).toBe(200);
    expect(toA).toBeGreaterThan(120);
    expect(toB).toBeGreaterThan(25);
    behaviour.a = () => [answer(503, '{}')];
    for (let i = 0; i < 20; i++) expect(await who(await ask(url))).toBe('b');
  });

  test('an upstream that keeps failing is asked last, until it has rested', async () => {
    const url = await gatewayWith(both());
    behaviour.a = () => [answer(503, '{}')];
    for (let i = 0; i < 12; i++) expect(await who(await ask(url))).toBe('b');
    expect(counts()).toEqual([5, 12]);
  });

  test('a caller’s own key goes to no other upstream', async () => {
    const url = await gatewayWith({
      upstreams: { a: { kind: 'openai', url: `${a.url}/v1` }, b: { kind: 'openai', url: `${b.url}/v1` } },
      models: { m: { upstreams: [{ upstream: 'a' }, { upstream: 'b' }] } },
    });
    behaviour.a = () => [answer(503, '{}')];
    const response = await ask(
      url,
      {},
      { headers: { 'content-type': 'application/json', authorization: 'Bearer sk-callers-own' } },
    );
    expect(response.status).toBe(503);
    expect(counts()).toEqual([1, 0]);
  });

  test('a conversation that cannot be had is answered by who comes next', async () => {
    const url = await gatewayWith({
      upstreams: {
        web: { kind: 'backend-api', url: web.url, prefix: 'emulator-web', key: 'fk-server' },
        b: { kind: 'openai', url: `${b.url}/v1`, key: 'sk-server-b' },
      },
      models: { m: { upstreams: [{ upstream: 'web', model: 'gpt-4' }, { upstream: 'b' }] } },
    });
    const failing = (content: string, more: object = {}) =>
      ask(url, { messages: [{ role: 'user', content }], ...more });
    expect(await who(await failing('/error 503'))).toBe('b');
    expect(await who(await failing('/error 429'))).toBe('b');
    expect(await who(await failing('/failfirst', { stream: true }))).toBe('b');
    const slow = await startEmulator({ firstDelayMs: 3000 });
    const late = await gatewayWith({
      upstreams: {
        web: { kind: 'backend-api', url: slow.url, prefix: 'emulator-web', key: 'fk-server' },
        b: { kind: 'openai', url: `${b.url}/v1`, key: 'sk-server-b' },
      },
      models: { m: { upstreams: [{ upstream: 'web', model: 'gpt-4' }, { upstream: 'b' }] } },
    });
    expect(await who(await ask(late))).toBe('b');
    slow.stop();
    expect((await failing('/error 400')).status).toBe(400);
    expect(await (await failing('hello')).text()).toContain('You said: hello');
  });

  describe('limits', () => {
    test('so many at once at an upstream; the others wait, or go to the next', async () => {
      let busy = 0;
      let most = 0;
      const slow: Script = async () => {
        most = Math.max(most, ++busy);
        // Longer than the ten requests take to arrive.
        await new Promise((resolve) => setTimeout(resolve, 400));
        busy--;
        return [answer(200, '{"who":"a"}')];
      };
      behaviour.a = slow;
      const limited = {
        kind: 'openai',
        url: `${a.url}/v1`,
        key: 'k',
        concurrency: 2,
        queue: 5,
        queueSeconds: 20,
      };
      const url = await gatewayWith({ upstreams: { a: limited } });
      const statuses = await Promise.all(Array.from({ length: 10 }, async () => (await ask(url)).status));
      expect(most).toBe(2);
      const served = statuses.filter((status) => status === 200).length;
      // On Node five wait in the queue. On Workers none does.
      expect(served).toBe(name === 'node' ? 7 : 2);
      expect(statuses.filter((status) => status === 503).length).toBe(10 - served);
      const spread = await gatewayWith({ ...both(), upstreams: { ...both().upstreams, a: limited } });
      const spreadOut = await Promise.all(Array.from({ length: 10 }, async () => who(await ask(spread))));
      expect(spreadOut.filter((each) => each === 'a').length).toBe(2);
      expect(spreadOut.filter((each) => each === 'b').length).toBe(8);
    });

    test('so many at once by caller, and in all', async () => {
      behaviour.a = () => [300, answer(200, '{"who":"a"}')];
      const one = { upstreams: { a: { kind: 'openai', url: `${a.url}/v1` } } };
      const perCaller = await gatewayWith(one, { MAX_CONCURRENT_PER_CALLER: '2' });
      const as = (url: string, key: string) =>
        ask(url, {}, { headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` } });
      const responses = await Promise.all([
        as(perCaller, 'k1'),
        as(perCaller, 'k1'),
        as(perCaller, 'k1'),
        as(perCaller, 'k2'),
      ]);
      expect(responses.map(({ status }) => status).sort()).toEqual([200, 200, 200, 429]);
      expect(responses.find(({ status }) => status === 429)?.headers.get('retry-after')).toBe('1');
      await Promise.all(responses.map((response) => response.text()));
      expect((await as(perCaller, 'k1')).status).toBe(200);
      const inAll = await gatewayWith(one, { MAX_CONCURRENT: '2' });
      const all = await Promise.all(['a', 'b', 'c'].map((key) => as(inAll, key)));
      expect(all.map(({ status }) => status).sort()).toEqual([200, 200, 503]);
    });
  });

  test.runIf(name === 'node')(
    'an answer that nobody waits for is read to its end where the owner wants that',
    async () => {
      let finished = false;
      behaviour.a = async () => {
        setTimeout(() => {
          finished = true;
        }, 400);
        return [streamHead, chunk(event('one')), 200, chunk(event('two')), 200, chunk(done), lastChunk];
      };
      const upstreams = (whenCallerLeaves: unknown) => ({
        a: { kind: 'openai', url: `${a.url}/v1`, key: 'k', whenCallerLeaves },
      });
      const leave = async (url: string) => {
        const left = new AbortController();
        const response = await ask(url, { stream: true }, { signal: left.signal });
        await response.body?.getReader().read();
        left.abort();
        await new Promise((resolve) => setTimeout(resolve, 100));
      };
      const aborted = a.aborted();
      await leave(await gatewayWith({ upstreams: upstreams('cancel') }));
      expect(a.aborted()).toBe(aborted + 1);
      finished = false;
      await leave(await gatewayWith({ upstreams: upstreams({ seconds: 10 }) }));
      await expect.poll(() => finished).toBe(true);
      expect(a.aborted()).toBe(aborted + 1);
      await leave(await gatewayWith({ upstreams: upstreams({ seconds: 10, bytes: 20 }) }));
      await expect.poll(() => a.aborted()).toBe(aborted + 2);
    },
  );

  test('the health of upstreams is on the start page, and all of them down is not ready', async () => {
    const url = await gatewayWith({ upstreams: { a: { kind: 'openai', url: `${a.url}/v1`, key: 'k' } } });
    const ready = async () => (await fetch(`${url}/readyz`)).status;
    expect(await ready()).toBe(200);
    behaviour.a = () => [answer(503, '{}')];
    for (let i = 0; i < 5; i++) await ask(url);
    expect(await ready()).toBe(503);
    expect(await (await fetch(url)).text()).toContain('cooling down after failures');
    behaviour.a = ok('a');
    expect((await ask(url)).status).toBe(200);
    expect(await ready()).toBe(200);
  });

  test('the official SDK sees one answer, whatever happened behind it', async () => {
    const url = await gatewayWith(both());
    behaviour.a = () => ['reset'];
    behaviour.b = () => stream(event('Hel'), event('lo'), done);
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 });
    let text = '';
    const answered = await client.chat.completions.create({ model: 'm', messages: [], stream: true });
    for await (const part of answered) text += part.choices[0]?.delta.content ?? '';
    expect(text).toBe('Hello');
  });
});
