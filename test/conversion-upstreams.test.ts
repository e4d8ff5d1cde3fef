import { type AddressInfo, createServer, type Server } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Running, runtimes } from './gateways.ts';
import {
  answer,
  chunk,
  type RawUpstream,
  type Script,
  startRawUpstream,
  streamHead,
} from './raw-upstream.ts';
import { readUntilBroken } from './read-until-broken.ts';

const path = '/backend-api/conversation';

const event = (text: string, isLast = true) =>
  `data: ${JSON.stringify({
    message: {
      id: 'm1',
      author: { role: 'assistant' },
      content: { content_type: 'text', parts: [text] },
      status: isLast ? 'finished_successfully' : 'in_progress',
      end_turn: isLast ? true : null,
      metadata: {},
      recipient: 'all',
    },
    conversation_id: 'c1',
    error: null,
  })}\n\n`;
const wholeAnswer = (text: string) => [
  answer(200, `${event(text)}data: [DONE]\n\n`, { 'content-type': 'text/event-stream' }),
];
const head = (status: string, headers: string) => `HTTP/1.1 ${status}\r\n${headers}\r\n\r\n`;
const json = 'content-type: application/json';
const drip =
  (first: string): Script =>
  () => [first, ...Array.from({ length: 60 }, () => [chunk(' '), 400]).flat()];

/** Two upstreams; the tests set what the first does. */
let script: Script = () => [];
let a: RawUpstream;
let b: RawUpstream;
beforeAll(async () => {
  a = await startRawUpstream({ [path]: (n, request) => script(n, request) });
  b = await startRawUpstream({ [path]: () => wholeAnswer('from b') });
});
afterAll(() => {
  a.stop();
  b.stop();
});
beforeEach(() => {
  for (const each of [a, b]) {
    each.asked.clear();
    each.requests.length = 0;
  }
});

describe.each(runtimes)('the life of a conversion on $name', ({ name: runtime, start }) => {
  const open: Running[] = [];
  let single: string;
  let both: string;
  const gatewayWith = async (config: object, env: Record<string, string> = {}): Promise<string> => {
    const gateway = await start({
      SLUICE_CONFIG: JSON.stringify({ hideConversations: false, ...config }),
      PUBLIC_RELAY: 'true',
      FIRST_BYTE_TIMEOUT: '3',
      IDLE_TIMEOUT: '1',
      ...env,
    });
    open.push(gateway);
    return gateway.url;
  };
  const web = (upstream: RawUpstream) => ({ kind: 'backend-api', url: upstream.url, key: 'fk-server' });
  beforeAll(async () => {
    single = await gatewayWith({ upstreams: { a: web(a) } });
    both = await gatewayWith({
      upstreams: { a: web(a), b: web(b) },
      models: {
        'gpt-4': {
          upstreams: [
            { upstream: 'a', model: 'gpt-4' },
            { upstream: 'b', model: 'gpt-4' },
          ],
        },
      },
    });
  });
  afterAll(() => Promise.all(open.map((each) => each.stop())));

  const ask = (url: string, stream = false) =>
    fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-4', stream, messages: [{ role: 'user', content: 'x' }] }),
    });
  const content = async (response: Response) => (await response.json()).choices[0].message.content;
  const failure = async (response: Response): Promise<[number, string]> => [
    response.status,
    (await response.json()).error?.message ?? '',
  ];

  describe('a body that stops arriving', () => {
    const bodies: readonly (readonly [string, Script, number])[] = [
      [
        'a 503 without its body',
        () => [head('503 X', `${json}\r\ncontent-length: 500`), '{"e', 'never'],
        503,
      ],
      ['a 503 that drips', drip(head('503 X', `${json}\r\ntransfer-encoding: chunked`)), 503],
      [
        'a 200 with half its JSON',
        () => [head('200 X', `${json}\r\ncontent-length: 500`), '{"a', 'never'],
        504,
      ],
      [
        'a stream in gzip that falls silent',
        () => [
          head(
            '200 X',
            'content-type: text/event-stream\r\ncontent-encoding: gzip\r\ntransfer-encoding: chunked',
          ),
          chunk(gzipSync(event('x'.repeat(1000))).subarray(0, 60)),
          'never',
        ],
        504,
      ],
    ];
    test.each(bodies)('%s is an error', { timeout: 15_000 }, async (_, body, status) => {
      script = body;
      expect((await ask(single)).status).toBe(status);
      const streamed = await ask(single, true);
      expect(streamed.status).toBe(status);
    });
    test.each(bodies)('%s leads to the next upstream', { timeout: 15_000 }, async (_, body) => {
      script = body;
      expect(await content(await ask(both))).toBe('from b');
    });
    test('of JSON without an end is refused by its size', { timeout: 15_000 }, async () => {
      const part = chunk('x'.repeat(1024 * 1024));
      script = () => [
        head('200 X', `${json}\r\ntransfer-encoding: chunked`),
        ...Array.from({ length: 40 }, () => part),
        'never',
      ];
      expect(await failure(await ask(single))).toEqual([502, expect.stringContaining('too long')]);
    });
  });

  describe('a connection that the upstream closed', () => {
    test('before any byte of an answer is replaced by a new one', async () => {
      for (const stream of [false, true]) {
        script = (n) => (n % 2 === 1 ? ['reset'] : wholeAnswer('again'));
        a.asked.clear();
        const response = await ask(single, stream);
        expect(response.status).toBe(200);
        expect(await response.text()).toContain('again');
        expect(a.asked.get(path)).toBe(2);
      }
    });
    test('while it was idle costs no request its answer', async () => {
      // Each answer is followed by a reset, as an upstream does that closes idle connections at once.
      script = () => [...wholeAnswer('kept'), 5, 'reset'];
      for (let i = 0; i < 20; i++) {
        expect(await content(await ask(single))).toBe('kept');
        await new Promise((resolve) => setTimeout(resolve, i % 7));
      }
    });
    test('again and again is a 502 that says so', async () => {
      script = () => ['reset'];
      expect(await failure(await ask(single))).toEqual([502, expect.stringMatching(/closed the connection/)]);
      expect(a.asked.get(path)).toBe(2);
    });
    test('after its head is not repeated', async () => {
      script = () => [streamHead, chunk(event('Half', false)), 20, 'reset'];
      expect((await ask(single)).status).toBe(502);
      expect(a.asked.get(path)).toBe(1);
    });
  });

  describe('a head that HTTP does not allow', () => {
    const good = `${event('fine')}data: [DONE]\n\n`;
    const events = `content-type: text/event-stream\r\ncontent-length: ${good.length}`;
    test.each(['\x01\x02', 'caf\xe9', '\u4e2d'])(
      'in its reason phrase %j changes nothing',
      async (phrase) => {
        script = () => [
          Buffer.from(head(`200 ${phrase}`, events), phrase > '\xff' ? 'utf8' : 'latin1'),
          good,
        ];
        const response = await ask(single);
        // workerd refuses some of them itself.
        if (runtime === 'node') expect(await content(response)).toBe('fine');
        else expect([200, 502]).toContain(response.status);
      },
    );
    test.each(['600', '999'])('with status %s is a 502 at once', async (status) => {
      script = () => [head(`${status} X`, events), good];
      const began = performance.now();
      expect((await ask(single)).status).toBe(502);
      expect(performance.now() - began).toBeLessThan(2900);
    });
    test.each(['constructor', 'toString', '__proto__'])(
      'with the content-encoding %s is no exception',
      async (encoding) => {
        script = () => [head('200 X', `${events}\r\ncontent-encoding: ${encoding}`), good];
        expect([200, 502]).toContain((await ask(single)).status);
      },
    );
  });

  test('TOTAL_TIMEOUT names itself, before the head and in the middle of a stream', async () => {
    const url = await gatewayWith({ upstreams: { a: web(a) } }, { TOTAL_TIMEOUT: '1', IDLE_TIMEOUT: '10' });
    script = () => [streamHead, chunk(event('Half', false)), 'never'];
    expect(await failure(await ask(url))).toEqual([504, expect.stringContaining('TOTAL_TIMEOUT')]);
    const { text, isBroken } = await readUntilBroken(await ask(url, true));
    expect(isBroken).toBe(true);
    expect(text).toContain('TOTAL_TIMEOUT');
    script = () => ['never'];
    expect(await failure(await ask(url))).toEqual([504, expect.stringContaining('TOTAL_TIMEOUT')]);
  });

  test('an upstream may have its own TOTAL_TIMEOUT', async () => {
    const url = await gatewayWith(
      { upstreams: { a: { ...web(a), timeouts: { total: 1 } } } },
      { IDLE_TIMEOUT: '10' },
    );
    script = () => [streamHead, chunk(event('Half', false)), 'never'];
    expect(await failure(await ask(url))).toEqual([504, expect.stringContaining('than 1 seconds')]);
  });

  test('a socket at a private address that is not the upstream is not opened', async () => {
    let connections = 0;
    const canary: Server = createServer((socket) => {
      connections++;
      socket.destroy();
    });
    await new Promise<void>((resolve) => canary.listen(0, '127.0.0.1', resolve));
    const { port } = canary.address() as AddressInfo;
    for (const host of ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]']) {
      script = () => [
        answer(200, JSON.stringify({ wss_url: `ws://${host}:${port}/`, conversation_id: 'c' })),
      ];
      expect(await failure(await ask(single))).toEqual([502, expect.stringContaining('private address')]);
    }
    script = () => [answer(200, JSON.stringify({ wss_url: 'file:///etc/passwd' }))];
    expect((await ask(single)).status).toBe(502);
    expect(connections).toBe(0);
    canary.close();
  });

  test('a continuation that is refused is told with the answer', async () => {
    const cut = {
      message: {
        id: 'm1',
        author: { role: 'assistant' },
        content: { content_type: 'text', parts: ['First half'] },
        status: 'finished_successfully',
        end_turn: true,
        metadata: { finish_details: { type: 'max_tokens' } },
        recipient: 'all',
      },
      conversation_id: 'c1',
    };
    script = (n) =>
      n === 1
        ? [
            answer(200, `data: ${JSON.stringify(cut)}\n\ndata: [DONE]\n\n`, {
              'content-type': 'text/event-stream',
            }),
          ]
        : [answer(429, '{"detail":"Too many requests."}')];
    const [choice] = (await (await ask(single)).json()).choices;
    expect(choice.finish_reason).toBe('length');
    expect(choice.message.content).toMatch(/^First half\n\n> Note: .*Too many requests\./);
  });

  test.runIf(runtime === 'node')('hiding that is not answered does not outlive the process', async () => {
    const silent = await startRawUpstream({
      [path]: () => wholeAnswer('hi'),
      [`${path}/c1`]: () => ['never'],
    });
    const gateway = await start({
      SLUICE_CONFIG: JSON.stringify({ upstreams: { a: web(silent) } }),
      PUBLIC_RELAY: 'true',
      DRAIN_TIMEOUT: '1',
    });
    expect(await content(await ask(gateway.url))).toBe('hi');
    await expect.poll(() => silent.asked.get(`${path}/c1`)).toBe(1);
    const began = performance.now();
    await gateway.stop();
    expect(performance.now() - began).toBeLessThan(10_000);
    silent.stop();
  });

  test.runIf(runtime === 'node')('connection errors say what they are', async () => {
    const at = (url: string) => gatewayWith({ upstreams: { a: { kind: 'backend-api', url, key: 'k' } } });
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const { port } = closed.address() as AddressInfo;
    closed.close();
    const plain = createServer((socket) => {
      socket.on('error', () => {}).once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    });
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
    expect(await failure(await ask(await at(`http://127.0.0.1:${port}`)))).toEqual([
      502,
      expect.stringContaining('refused the connection'),
    ]);
    expect(await failure(await ask(await at('http://name.invalid')))).toEqual([
      502,
      expect.stringContaining('could not be resolved'),
    ]);
    const asTls = `https://127.0.0.1:${(plain.address() as AddressInfo).port}`;
    expect(await failure(await ask(await at(asTls)))).toEqual([502, expect.stringContaining('TLS')]);
    plain.close();
    script = () => ['this is no HTTP\r\n\r\n'];
    expect(await failure(await ask(single))).toEqual([502, expect.stringContaining('not HTTP')]);
  });
});
