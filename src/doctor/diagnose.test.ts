import { describe, expect, test } from 'vitest';
import { diagnose, type Target } from './diagnose.ts';
import { explain } from './words.ts';

type Answers = Readonly<Record<string, () => Response>>;

/** A gateway with fixed answers; every other path cannot be reached. */
function target(answers: Answers, more: Partial<Target> = {}): Target {
  return {
    base: 'https://gate.example/v1',
    headers: {},
    origin: null,
    pageIsSecure: false,
    silenceSeconds: 0,
    fetch: async (url) => {
      const answer = answers[new URL(url).pathname];
      if (!answer) throw Object.assign(new TypeError('fetch failed'), { cause: { code: 'ENOTFOUND' } });
      return answer();
    },
    ...more,
  };
}

async function codes(tested: Target): Promise<string[]> {
  const found: string[] = [];
  for await (const each of diagnose(tested)) {
    found.push(`${each.level} ${each.code}`);
    for (const language of ['en', 'zh'] as const) {
      const { text, fix } = explain(each, language);
      expect(text).not.toMatch(/undefined|\[object/);
      if (each.level === 'bad') expect(fix).toBeTruthy();
    }
  }
  return found;
}

const models = () => Response.json({ data: [{ id: 'm' }] });
const refusing =
  (status: number, message = 'No.') =>
  () =>
    Response.json({ error: { message } }, { status });

/**
 * A stream of twelve ticks that come one by one, as the gateway sends them; and what comes after.
 */
function stream(
  stem: string,
  ending: readonly string[],
  headers: Record<string, string> = {},
  gapMs = 20,
  said = gapMs,
): () => Response {
  const events = [
    JSON.stringify({ gapMs: said, stem }),
    ...Array.from({ length: 12 }, (_, i) => `{"tick":${i}}`),
    ...ending,
  ];
  return () =>
    new Response(
      new ReadableStream({
        async pull(controller) {
          const event = events.shift();
          if (event === undefined) return controller.close();
          await new Promise((resolve) => setTimeout(resolve, gapMs));
          controller.enqueue(new TextEncoder().encode(`data: ${event}\n\n`));
        },
      }),
      { headers: { 'content-type': 'text/event-stream', ...headers } },
    );
}

describe('what the doctor finds', () => {
  test('a key that is accepted, and one that is refused', async () => {
    const headers = { authorization: 'Bearer k' };
    expect(await codes(target({ '/v1/models': models }, { headers }))).toContain('good keyAccepted');
    expect(await codes(target({ '/v1/models': refusing(401) }, { headers }))).toContain('bad keyRefused');
  });

  test('the origin of a page goes with every request', async () => {
    const origins: (string | null)[] = [];
    await codes(
      target(
        {},
        {
          origin: 'https://page.example',
          fetch: async (_, init) => {
            origins.push(new Headers(init?.headers).get('origin'));
            return models();
          },
        },
      ),
    );
    expect(origins).toEqual(Array(3).fill('https://page.example'));
  });

  test('links to a public address are right, tested from the machine of the gateway', async () => {
    const links = async (base: string) =>
      (
        await codes(
          target(
            { '/v1/models': models, '/doctor/stream': stream('https://gate.example', ['[DONE]']) },
            { base },
          ),
        )
      ).at(-1);
    expect(await links('http://127.0.0.1:8080/v1')).toBe('good links');
    expect(await links('http://10.0.0.1:8080/v1')).toBe('warn linksElsewhere');
  });

  test('a stream that is cut before its first byte', async () => {
    const cut = () =>
      new Response(
        new ReadableStream({
          start: (controller) => void setTimeout(() => controller.error(new Error('reset')), 20),
        }),
        { headers: { 'content-type': 'text/event-stream', server: 'nginx' } },
      );
    expect((await codes(target({ '/v1/models': models, '/doctor/stream': cut }))).at(-1)).toBe(
      'bad streamCut',
    );
  });

  test.each<[string, Answers, string[]]>([
    ['nothing there', {}, ['bad unreachable']],
    ['a login page', { '/v1/models': () => new Response('<html>') }, ['bad notTheApi']],
    [
      'a gateway that needs a key, tested without one',
      { '/v1/models': refusing(401) },
      ['good reached', 'skipped keyMissing', 'good encrypted'],
    ],
    [
      'a gateway for web pages, tested without one',
      { '/v1/models': refusing(403, 'This gateway answers only to the origins in ALLOWED_ORIGINS.') },
      ['good reached', 'skipped originMissing', 'good encrypted'],
    ],
    [
      'another refusal',
      { '/v1/models': refusing(403) },
      ['good reached', 'bad originRefused', 'good encrypted'],
    ],
    ['another path', { '/v1/models': refusing(404) }, ['good reached', 'good encrypted', 'bad notFound']],
    [
      'an upstream without a model list',
      { '/v1/models': refusing(404), '/doctor/stream': stream('https://gate.example', ['[DONE]']) },
      ['good reached', 'good encrypted', 'warn noModels', 'good streams', 'good links'],
    ],
    [
      'a broken upstream',
      { '/v1/models': refusing(502) },
      ['good reached', 'bad serverError', 'good encrypted', 'skipped cannotMeasure'],
    ],
    [
      'no models',
      { '/v1/models': () => Response.json({ data: [] }) },
      ['good reached', 'good keyNotNeeded', 'warn noModels', 'good encrypted', 'skipped cannotMeasure'],
    ],
    [
      'all well',
      { '/v1/models': models, '/doctor/stream': stream('https://gate.example', ['[DONE]']) },
      ['good reached', 'good keyNotNeeded', 'good models', 'good encrypted', 'good streams', 'good links'],
    ],
    [
      'links that lead elsewhere',
      { '/v1/models': models, '/doctor/stream': stream('http://localhost:8080', ['[DONE]']) },
      [
        'good reached',
        'good keyNotNeeded',
        'good models',
        'good encrypted',
        'good streams',
        'warn linksElsewhere',
      ],
    ],
    [
      'a stream in one piece, compressed',
      {
        '/v1/models': models,
        '/doctor/stream': stream(
          'https://gate.example',
          ['[DONE]'],
          { 'content-encoding': 'gzip', server: 'nginx' },
          0,
          100,
        ),
      },
      [
        'good reached',
        'good keyNotNeeded',
        'good models',
        'good encrypted',
        'bad buffered',
        'warn compressed',
        'good links',
      ],
    ],
  ])('%s', async (_, answers, expected) => {
    expect(await codes(target(answers))).toEqual(expected);
  });

  test('a silence that is kept, and one that is cut', async () => {
    const found = (ending: readonly string[]) =>
      codes(
        target(
          { '/v1/models': models, '/doctor/stream': stream('https://gate.example', ending) },
          { silenceSeconds: 1 },
        ),
      );
    expect(await found(['[DONE]'])).toContain('good silenceKept');
    expect(await found([])).toContain('bad silenceCut');
  });

  test('a stream that says nothing of use, or nothing at all', async () => {
    const saying = (text: string) => () =>
      new Response(text, { headers: { 'content-type': 'text/event-stream' } });
    for (const text of ['', 'data: nonsense\n\n'])
      expect((await codes(target({ '/v1/models': models, '/doctor/stream': saying(text) }))).at(-1)).toBe(
        'skipped cannotMeasure',
      );
  });

  test('every request has its own timeout', async () => {
    const signals: (AbortSignal | null | undefined)[] = [];
    const answers: Answers = { '/v1/models': models };
    const { fetch } = target(answers);
    const asking: Target['fetch'] = (url, init) => {
      signals.push(init?.signal);
      return fetch(url, init);
    };
    await codes(target(answers, { origin: 'https://page.example', fetch: asking }));
    expect(signals).toHaveLength(3);
    expect(signals.every((signal) => signal instanceof AbortSignal)).toBe(true);
  });

  test('a page by https and a gateway by http', async () => {
    const answers = { '/v1/models': models };
    expect(await codes(target(answers, { base: 'http://gate.example/v1', pageIsSecure: true }))).toEqual([
      'bad mixedContent',
    ]);
    expect(await codes(target(answers, { base: 'http://gate.example/v1' }))).toContain('warn plainHttp');
    // The machine's own address is as good as encrypted, to browsers too.
    expect(
      await codes(target(answers, { base: 'http://127.0.0.1:8080/v1', pageIsSecure: true })),
    ).not.toContain('bad mixedContent');
  });

  test.each([
    [
      { 'access-control-allow-origin': '*', 'access-control-allow-headers': 'authorization, content-type' },
      'good preflight',
    ],
    [{ 'access-control-allow-origin': 'https://other.example' }, 'bad preflightRefused'],
    [{}, 'bad preflightRefused'],
    [
      { 'access-control-allow-origin': 'https://page.example', 'access-control-allow-headers': 'x-a' },
      'bad preflightBare',
    ],
  ])('a preflight answered with %j', async (headers, code) => {
    const answers = {
      '/v1/models': models,
      '/v1/chat/completions': () =>
        new Response(null, { status: 204, headers: headers as Record<string, string> }),
    };
    expect(await codes(target(answers, { origin: 'https://page.example' }))).toContain(code);
  });
});
