import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chatParameters } from '../src/api/chat-request.ts';
import { imageRequest } from '../src/api/image-request.ts';
import { Failure } from '../src/http/failure.ts';
import { createSseReader } from '../src/openai/sse.ts';
import { loadSettings } from '../src/settings/load.ts';
import { createDecoder } from '../src/upstreams/backend-api/decode/decode.ts';
import { contentsOf } from '../src/upstreams/backend-api/inputs.ts';
import { createMarkerParser } from '../src/upstreams/backend-api/reduce/markers.ts';
import { createTurnReader } from '../src/upstreams/backend-api/turn.ts';

/** Cases of the six properties together: 5,000 in `npm test`, 100,000 in `npm run test:long`. */
const cases = Number(process.env.FUZZ_CASES ?? 5000);
const runs = { numRuns: Math.ceil(cases / 6) };
const encode = (text: string) => new TextEncoder().encode(text);

const pieces = fc.array(
  fc.oneof(
    fc.constantFrom(
      'data: ',
      'event: delta\n',
      '\n',
      '\r\n',
      '\r',
      ': ping\n\n',
      'data:{"v":"x"}\n\n',
      '[DONE]',
      'id: 1\n',
      '\uFEFF',
      '图',
      '\0',
    ),
    fc.string({ maxLength: 20, unit: 'binary' }),
  ),
  { maxLength: 12 },
);

test('the event decoder: any text, cut anywhere, gives the same events', () => {
  fc.assert(
    fc.property(
      pieces,
      fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 5 }),
      (parts, sizes) => {
        const bytes = encode(parts.join(''));
        const whole = createSseReader();
        const wanted = [...whole.push(bytes), ...whole.end()];
        const cut = createSseReader();
        const got = [];
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = sizes[i % sizes.length] ?? 1;
          got.push(...cut.push(bytes.subarray(at, at + size)));
          at += size;
        }
        got.push(...cut.end());
        expect(got).toEqual(wanted);
      },
    ),
    runs,
  );
});

const pointer = fc.constantFrom(
  '',
  '/message',
  '/message/content',
  '/message/content/parts',
  '/message/content/parts/0',
  '/message/metadata',
  '/message/status',
  '/a~1b/c',
  '/__proto__/x',
  '/message/content/parts/-',
  '/message/content/parts/99999999',
  'no-slash',
  '/constructor/prototype/x',
);
const delta: fc.Arbitrary<object> = fc.record(
  {
    p: pointer,
    o: fc.constantFrom('add', 'append', 'replace', 'remove', 'truncate', 'patch', 'explode'),
    v: fc.oneof(
      fc.jsonValue({ maxDepth: 3 }),
      fc.constant({
        message: {
          id: 'm',
          author: { role: 'assistant' },
          content: { content_type: 'text', parts: ['x'] },
          metadata: {},
        },
      }),
      fc.array(
        fc.record({ p: pointer, o: fc.constantFrom('append', 'replace'), v: fc.jsonValue({ maxDepth: 2 }) }),
        { maxLength: 3 },
      ),
    ),
    c: fc.integer({ min: -1, max: 3 }),
    message: fc.jsonValue({ maxDepth: 3 }),
    type: fc.constantFrom('input_message', 'stream_handoff', 'error', 'moderation', 'server_ste_metadata'),
    error: fc.jsonValue({ maxDepth: 1 }),
  },
  { requiredKeys: [] },
);

test('the delta decoder: any deltas, and no prototype is touched', () => {
  fc.assert(
    fc.property(fc.array(delta, { maxLength: 8 }), (deltas) => {
      const decoder = createDecoder();
      decoder.push({ event: 'delta_encoding', data: '"v1"' });
      for (const each of deltas) decoder.push({ event: 'delta', data: JSON.stringify(each) });
      expect(({} as Record<string, unknown>).x).toBeUndefined();
      expect(Object.keys(Object.prototype)).toEqual([]);
    }),
    runs,
  );
});

test('a whole turn: any events in either encoding end in a finish or an error', () => {
  fc.assert(
    fc.property(
      fc.boolean(),
      fc.array(fc.oneof(delta, fc.jsonValue({ maxDepth: 4 })), { maxLength: 6 }),
      (newer, events) => {
        const reader = createTurnReader();
        if (newer) reader.push(encode('event: delta_encoding\ndata: "v1"\n\n'));
        for (const each of events) reader.push(encode(`data: ${JSON.stringify(each)}\n\n`));
        reader.end();
        reader.flush();
        expect([
          'whole',
          'cut',
          'blocked',
          'confirmation',
          'handoff',
          'background',
          'failed',
          'empty',
          'broken',
        ]).toContain(reader.state.outcome);
      },
    ),
    runs,
  );
});

const markText = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '【',
        '】',
        '†',
        '3',
        ':',
        'source',
        '\uE200',
        '\uE201',
        '\uE202',
        'cite',
        'turn0search1',
        '](',
        '](sandbox:',
        '/mnt/data/a.csv',
        ')',
        '(',
        '[',
        '\n',
        'x',
        '🌊',
        '\uD83C',
        '{"a":1}',
      ),
      fc.string({ maxLength: 5 }),
    ),
    { maxLength: 20 },
  )
  .map((parts) => parts.join(''));

test('the rewriters of sources and sandbox links: any text, cut anywhere, reads the same and shows no mark', () => {
  const metadata = {
    citations: [
      { metadata: { type: 'webpage', title: 'T', url: 'https://t.test/', extra: { cited_message_idx: 3 } } },
    ],
    content_references: [{ type: 'webpage', matched_text: '\uE200cite\uE202turn0search1\uE201', alt: '(T)' }],
  };
  const read = (texts: readonly string[]) => {
    const markers = createMarkerParser({ messageId: 'm', waits: true });
    return [...texts, ''].flatMap((text, i) =>
      markers.push(text, metadata, i === texts.length ? 'closed' : 'growing'),
    );
  };
  const written = (segments: ReturnType<typeof read>) =>
    segments.map((segment) => ('text' in segment ? segment.text : `<${segment.kind}>`)).join('');
  fc.assert(
    fc.property(markText, fc.integer({ min: 1, max: 4 }), (text, size) => {
      const whole = written(read([text]));
      expect(written(read(text.match(new RegExp(`[\\s\\S]{1,${size}}`, 'g')) ?? []))).toBe(whole);
      expect(whole).not.toMatch(/[\uE200-\uE2FF]/);
    }),
    runs,
  );
});

test('the settings: anything is either right or an error that names a file or a key', () => {
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.constantFrom('env:NOPE', 'http://h', 'true', '32MiB', -1, 1e99),
  );
  const names = [
    'upstreams',
    'models',
    'port',
    'accessKeys',
    'allowedOrigins',
    'botMode',
    'gpts',
    's3',
    'retries',
    'keepAlive',
    'nonsense',
    'upstream_base_url',
    '__proto__',
  ];
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 4 }), (config) => {
      const loaded = loadSettings({ env: { SLUICE_CONFIG: JSON.stringify(config) }, platform: 'node' });
      if (!loaded.ok) for (const error of loaded.errors) expect(error).toMatch(/^[\w.]+: \S/);
    }),
    runs,
  );
});

const refusedOnly = (work: () => unknown): void => {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(Failure);
    expect((error as Failure).status).toBe(400);
  }
};

test('requests: anything is either understood or a 400', () => {
  const part = fc.record(
    {
      type: fc.constantFrom('text', 'image_url', 'file', 'input_file', 'input_audio', 'x'),
      text: fc.jsonValue({ maxDepth: 1 }),
      image_url: fc.oneof(
        fc.jsonValue({ maxDepth: 2 }),
        fc.constantFrom('data:,', 'data:image/png;base64,AA', 'http://x'),
      ),
      file: fc.jsonValue({ maxDepth: 2 }),
      input_audio: fc.jsonValue({ maxDepth: 2 }),
    },
    { requiredKeys: [] },
  );
  const message = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.record({
      role: fc.jsonValue({ maxDepth: 0 }),
      content: fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.array(part, { maxLength: 4 })),
    }),
  );
  const body = fc.dictionary(
    fc.constantFrom(
      'stream',
      'n',
      'stop',
      'max_tokens',
      'stream_options',
      'prompt',
      'size',
      'quality',
      'response_format',
      'model',
    ),
    fc.jsonValue({ maxDepth: 2 }),
    { maxKeys: 5 },
  );
  fc.assert(
    fc.property(body, fc.array(message, { maxLength: 3 }), (fields, messages) => {
      refusedOnly(() => chatParameters(fields));
      refusedOnly(() => imageRequest('/v1/images/generations', fields, []));
      refusedOnly(() => contentsOf(messages));
    }),
    runs,
  );
});
