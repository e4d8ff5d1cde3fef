import { expect } from 'vitest';
import type { Emulated } from './emulated.ts';
import type { Running } from './gateways.ts';
import { chunk, done, event, lastChunk, type RawUpstream, type Script, streamHead } from './raw-upstream.ts';

/** Starts what a row needs. Everything ends with the row. */
export type Bench = {
  upstream(scripts: Readonly<Record<string, Script>>): Promise<RawUpstream>;
  gateway(env: Record<string, string>): Promise<Running>;
  /** A conversation upstream. */
  emulator(): Promise<Emulated>;
  /** The URL of a listener that completes no connection. */
  fullListener(): Promise<string>;
};

/** The names of the runtimes, as in `test/gateways.ts`. */
export type RuntimeName = 'node' | 'workerd';

/** What is known of a setting's effect. */
export type Effect = {
  /** Shows the effect: the same request with the setting and without it. */
  readonly shows?: (bench: Bench) => Promise<void>;
  /** Runtimes where `shows` fails at present, with the reason. */
  readonly fails?: Partial<Record<RuntimeName, string>>;
  /** The runtimes that the tests can show it on. Without it: all where it has an effect. */
  readonly runs?: readonly RuntimeName[];
  /** A test that shows the effect: the file, and words of its name or body. */
  readonly shownBy?: readonly [file: string, words: string];
  /** The only runtime where it has an effect. The docs say so, and a start elsewhere warns. */
  readonly onlyOn?: RuntimeName;
};

const path = '/v1/chat/completions';
const fast = '{"choices":[]}';
const json = (status: number, body = fast): string =>
  `HTTP/1.1 ${status} Status\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
/** Sends one event at once and the rest after some time. */
const pausing =
  (ms: number): Script =>
  () => [streamHead, chunk(event('one')), ms, chunk(done), lastChunk];
const hanging: Script = () => [streamHead, chunk(event('one')), 'never'];
const silent: Script = () => ['never'];

export function post(gateway: Running, init: RequestInit = {}): Promise<Response> {
  return fetch(gateway.url + path, {
    method: 'POST',
    body: JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: 'hi' }] }),
    ...init,
    headers: { authorization: 'Bearer sk-own', 'content-type': 'application/json', ...init.headers },
  });
}

/** A gateway in front of one upstream with some fields. */
function withFields(bench: Bench, upstream: RawUpstream, fields: object): Promise<Running> {
  const openai = { kind: 'openai', url: `${upstream.url}/v1`, ...fields };
  return bench.gateway({ SLUICE_CONFIG: JSON.stringify({ upstreams: { openai }, publicRelay: true }) });
}

async function withEnv(bench: Bench, script: Script, env: Record<string, string>): Promise<Running> {
  const upstream = await bench.upstream({ [path]: script });
  return bench.gateway({ OPENAI_BASE_URL: upstream.url, ...env });
}

const codeOf = async (response: Response): Promise<unknown> =>
  ((await response.json()) as { error?: { code?: unknown } }).error?.code;
/** The code of the error line that ends a broken stream. */
const endOf = async (response: Response): Promise<unknown> => {
  let text = '';
  // The connection ends unclean after the error line.
  const read = async (): Promise<void> => {
    for await (const bytes of response.body ?? []) text += new TextDecoder().decode(bytes);
  };
  await read().catch(() => {});
  return /"code":"(\w+)"/.exec(text)?.[1];
};

async function firstByteTimeout(gateway: Running): Promise<void> {
  const response = await post(gateway);
  expect([response.status, await codeOf(response)]).toEqual([504, 'upstream_timeout']);
}

async function idleTimeout(gateway: Running): Promise<void> {
  expect(await endOf(await post(gateway))).toBe('upstream_timeout');
}

/** Ends when the second of two requests at once is refused. */
async function secondIsRefused(gateway: Running, status: number, headers: Record<string, string> = {}) {
  const first = new AbortController();
  const open = await post(gateway, { signal: first.signal });
  expect(open.status).toBe(200);
  expect((await post(gateway, { headers })).status).toBe(status);
  first.abort();
}

const whenCallerLeaves = async (bench: Bench): Promise<void> => {
  const outcome = async (value: unknown): Promise<number> => {
    // workerd notices that a client has left when it writes to it.
    const busy: Script = () => [
      streamHead,
      ...Array.from({ length: 20 }, (_, i) => [chunk(event(`${i}`)), 100]).flat(),
      lastChunk,
    ];
    const upstream = await bench.upstream({ [path]: busy });
    const gateway = await withFields(bench, upstream, { whenCallerLeaves: value });
    const left = new AbortController();
    const response = await post(gateway, { signal: left.signal });
    await response.body?.getReader().read();
    left.abort();
    await expect.poll(() => upstream.ended() + upstream.aborted()).toBe(1);
    return upstream.aborted();
  };
  expect(await outcome('cancel')).toBe(1);
  expect(await outcome({ seconds: 30 })).toBe(0);
};

/** Settings of the relay, each with a request that shows its effect. */
export const relayEffects: Readonly<Record<string, Effect>> = {
  keepAlive: {
    async shows(bench) {
      const text = async (seconds: string) =>
        (await post(await withEnv(bench, pausing(2600), { KEEPALIVE_SECONDS: seconds }))).text();
      expect((await text('1')).replace(event('one'), '').replace(done, '')).not.toBe('');
      expect(await text('0')).toBe(event('one') + done);
    },
  },
  keepAliveStyle: {
    async shows(bench) {
      const text = async (style: string) => {
        const env = { KEEPALIVE_SECONDS: '1', KEEPALIVE_STYLE: style };
        return (await post(await withEnv(bench, pausing(1600), env))).text();
      };
      expect(await text('comment')).toContain(': keep-alive\n');
      expect(await text('chunk')).toContain('"delta":{},"finish_reason":null');
    },
  },
  watch: {
    onlyOn: 'workerd',
    async shows(bench) {
      const flowing: Script = () => [
        streamHead,
        ...Array.from({ length: 5 }, (_, i) => [chunk(event(`${i}`)), 50]).flat(),
        1600,
        chunk(done),
        lastChunk,
      ];
      const text = async (watch: string) =>
        (await post(await withEnv(bench, flowing, { KEEPALIVE_SECONDS: '1', WATCH: watch }))).text();
      const empty = '"delta":{},"finish_reason":null';
      expect(await text('whole')).toContain(empty);
      expect(await text('start')).not.toContain(empty);
    },
  },
  firstByteTimeout: {
    shows: async (bench) => firstByteTimeout(await withEnv(bench, silent, { FIRST_BYTE_TIMEOUT: '1' })),
  },
  idleTimeout: {
    shows: async (bench) => idleTimeout(await withEnv(bench, hanging, { IDLE_TIMEOUT: '1' })),
  },
  totalTimeout: {
    async shows(bench) {
      const busy: Script = () => [
        streamHead,
        ...Array.from({ length: 30 }, (_, i) => [chunk(event(`${i}`)), 200]).flat(),
        chunk(done),
        lastChunk,
      ];
      expect(await endOf(await post(await withEnv(bench, busy, { TOTAL_TIMEOUT: '1' })))).toBe(
        'upstream_timeout',
      );
    },
  },
  maxRelayBytes: {
    async shows(bench) {
      const gateway = await withEnv(bench, () => [json(200)], { MAX_RELAY_BYTES: '1000' });
      expect((await post(gateway, { body: 'x'.repeat(900) })).status).toBe(200);
      expect((await post(gateway, { body: 'x'.repeat(5000) })).status).toBe(413);
    },
  },
  retries: {
    async shows(bench) {
      const asked = async (retries: string): Promise<number> => {
        const upstream = await bench.upstream({ [path]: (n) => [json(n === 1 ? 503 : 200)] });
        const gateway = await bench.gateway({ OPENAI_BASE_URL: upstream.url, RETRIES: retries });
        expect((await post(gateway)).status).toBe(retries === '0' ? 503 : 200);
        return upstream.asked.get(path) ?? 0;
      };
      expect([await asked('0'), await asked('1')]).toEqual([1, 2]);
    },
  },
  maxConcurrent: {
    shows: async (bench) =>
      secondIsRefused(await withEnv(bench, hanging, { MAX_CONCURRENT: '1' }), 503, {
        authorization: 'Bearer sk-another',
      }),
  },
  maxConcurrentPerCaller: {
    async shows(bench) {
      const script: Script = (n, request) => (n === 1 ? hanging(n, request) : [json(200)]);
      const one = await withEnv(bench, script, { MAX_CONCURRENT_PER_CALLER: '1' });
      await secondIsRefused(one, 429);
      const two = await withEnv(bench, script, { MAX_CONCURRENT_PER_CALLER: '1' });
      await secondIsRefused(two, 200, { authorization: 'Bearer sk-another' });
    },
  },
  'upstreams.timeouts': {
    async shows(bench) {
      const slow = await bench.upstream({ [path]: silent });
      await firstByteTimeout(await withFields(bench, slow, { timeouts: { firstByte: 1 } }));
      const broken = await bench.upstream({ [path]: hanging });
      await idleTimeout(await withFields(bench, broken, { timeouts: { idle: 1 } }));
    },
  },
  'upstreams.concurrency': {
    async shows(bench) {
      const upstream = await bench.upstream({ [path]: hanging });
      await secondIsRefused(await withFields(bench, upstream, { concurrency: 1, queue: 0 }), 503);
    },
  },
  'upstreams.queue': {
    onlyOn: 'node',
    async shows(bench) {
      const upstream = await bench.upstream({
        [path]: (n) => (n === 1 ? pausing(1500)(n, '') : [json(200)]),
      });
      const gateway = await withFields(bench, upstream, { concurrency: 1, queue: 1 });
      const first = await post(gateway);
      const [second, third] = await Promise.all([post(gateway), post(gateway)]);
      expect([second.status, third.status].sort()).toEqual([200, 503]);
      await first.text();
    },
  },
  'upstreams.queueSeconds': {
    onlyOn: 'node',
    async shows(bench) {
      const upstream = await bench.upstream({ [path]: hanging });
      const fields = { concurrency: 1, queue: 1, queueSeconds: 1 };
      // The first request never ends, so the second would wait for ever.
      await secondIsRefused(await withFields(bench, upstream, fields), 503);
    },
  },
  'upstreams.whenCallerLeaves': { shows: whenCallerLeaves },
  'upstreams.keys': {
    async shows(bench) {
      const upstream = await bench.upstream({ [path]: () => [json(200)] });
      const gateway = await withFields(bench, upstream, { keys: ['sk-server-1', 'sk-server-2'] });
      for (let i = 0; i < 2; i++) await (await post(gateway)).text();
      const used = upstream.requests.map((request) => /Bearer (\S+)/.exec(request)?.[1]);
      expect(used.sort()).toEqual(['sk-server-1', 'sk-server-2']);
    },
  },
  'upstreams.models': {
    async shows(bench) {
      const upstream = await bench.upstream({ [path]: () => [json(200)] });
      const gateway = await withFields(bench, upstream, { models: ['gpt-*'] });
      const status = async (model: string) =>
        (await post(gateway, { body: JSON.stringify({ model, messages: [] }) })).status;
      expect([await status('gpt-4o'), await status('other')]).toEqual([200, 404]);
    },
  },
};

/** Asks a gateway in front of the emulator for a conversation. */
async function converse(gateway: Running, content: string): Promise<string> {
  const body = JSON.stringify({ model: 'gpt-4', messages: [{ role: 'user', content }] });
  return (await post(gateway, { body })).text();
}

/** A conversation of 12 words, one every 30 ms. */
const slowWords: Script = () => {
  const words = Array.from({ length: 12 }, (_, i) => `w${i}`);
  const snapshots = words.map((_, i) => {
    const isLast = i === words.length - 1;
    const message = {
      id: 'm1',
      author: { role: 'assistant' },
      content: { content_type: 'text', parts: [words.slice(0, i + 1).join(' ')] },
      status: isLast ? 'finished_successfully' : 'in_progress',
      end_turn: isLast ? true : null,
      metadata: {},
      recipient: 'all',
    };
    return chunk(`data: ${JSON.stringify({ message, conversation_id: 'c1', error: null })}\n\n`);
  });
  return [streamHead, ...snapshots.flatMap((each) => [each, 30]), chunk(done), lastChunk];
};

/** The pieces of text in which a caller gets the conversation. */
async function piecesOf(bench: Bench, env: Record<string, string>): Promise<readonly string[]> {
  const upstream = await bench.upstream({ '/backend-api/conversation': slowWords });
  const web = { kind: 'backend-api', url: upstream.url, prefix: '' };
  const config = { upstreams: { web }, hideConversations: false };
  const gateway = await bench.gateway({ SLUICE_CONFIG: JSON.stringify(config), ...env });
  const model = { model: 'gpt-4', stream: true, messages: [{ role: 'user', content: 'hi' }] };
  const text = await (await post(gateway, { body: JSON.stringify(model) })).text();
  return [...text.matchAll(/"content":"([^"]+)"/g)].map(([, content]) => content ?? '');
}

const modes = 'test/conversion-modes.test.ts';
const stored = 'test/stored.test.ts';
const access = 'test/access.test.ts';
const inputs = 'test/inputs.test.ts';

/** The other settings. Most have a test of their own, which the table names. */
export const otherEffects: Readonly<Record<string, Effect>> = {
  host: { onlyOn: 'node', shownBy: ['test/start.test.ts', "HOST: '0.0.0.0'"] },
  port: { onlyOn: 'node', shownBy: ['test/start.test.ts', 'PORT: String(port)'] },
  upstreams: { shownBy: ['test/fallback.test.ts', 'upstreams: {'] },
  'upstreams.url': { shownBy: ['test/relay.test.ts', 'OPENAI_BASE_URL'] },
  'upstreams.prefix': { shownBy: [modes, "prefix: 'emulator-web'"] },
  models: { shownBy: [modes, "models: { mine: { upstream: 'web', model: 'gpt-4' } }"] },
  gpts: { shownBy: [modes, "gpts: { poet: { id: 'g-poet' } }"] },
  gptsFile: { onlyOn: 'node', shownBy: ['src/cli/cli.test.ts', 'gpts'] },
  keyForGptsInfo: { shownBy: [modes, "keyForGptsInfo: 'fk-info'"] },
  hideConversations: { shownBy: [modes, 'hideConversations: false'] },
  continueRounds: { shownBy: [modes, 'continueRounds: 0'] },
  backgroundTimeout: { shownBy: ['test/resume.test.ts', "BACKGROUND_TIMEOUT: '1'"] },
  alwaysAllowActions: { shownBy: ['test/conversion.test.ts', "ALWAYS_ALLOW_ACTIONS: 'true'"] },
  nonStreamKeepAlive: { shownBy: [modes, 'nonStreamKeepAlive: true'] },
  coalesceMs: {
    async shows(bench) {
      const all = Array.from({ length: 12 }, (_, i) => `w${i}`).join(' ');
      const each = await piecesOf(bench, { COALESCE_MS: '0' });
      expect(each.join('')).toBe(all);
      expect(each.length).toBeGreaterThan(6);
      const gathered = await piecesOf(bench, { COALESCE_MS: '1000' });
      expect(gathered.join('')).toBe(all);
      // The first word comes at once. The end of the stream ends the pause.
      expect(gathered.length).toBeLessThan(4);
      expect(gathered[0]?.length).toBeLessThan(10);
    },
  },
  pace: { shownBy: [modes, '{ pace: 50 }'] },
  botMode: { shownBy: [modes, 'botMode: { enabled: true'] },
  accessKeys: { shownBy: [access, 'ACCESS_KEYS'] },
  accessScopes: {
    async shows(bench) {
      const upstream = await bench.upstream({
        '/v1/organization/costs': () => [json(200)],
        [path]: () => [json(200)],
      });
      const status = async (scopes: string): Promise<number[]> => {
        const gateway = await bench.gateway({
          ...{ OPENAI_BASE_URL: upstream.url, OPENAI_API_KEY: 'sk-owner', PUBLIC_RELAY: 'true' },
          ACCESS_SCOPES: scopes,
        });
        return [(await post(gateway)).status, (await fetch(`${gateway.url}/v1/organization/costs`)).status];
      };
      expect(await status('all')).toEqual([200, 200]);
      expect(await status('inference')).toEqual([200, 403]);
    },
  },
  trustedProxies: { shownBy: ['test/client-address.test.ts', 'TRUSTED_PROXIES'] },
  logClientAddress: { shownBy: ['test/client-address.test.ts', 'LOG_CLIENT_ADDRESS'] },
  sendHints: { shownBy: ['src/upstreams/backend-api/hints.test.ts', 'hintsIn'] },
  uploadedBytes: { shownBy: ['test/files.test.ts', 'UPLOADED_BYTES'] },
  allowedOrigins: { shownBy: [access, 'ALLOWED_ORIGINS'] },
  publicRelay: { shownBy: [access, 'PUBLIC_RELAY'] },
  publicUrl: { shownBy: [stored, 'PUBLIC_URL'] },
  apiPrefix: { shownBy: [access, 'API_PREFIX'] },
  dataDir: { onlyOn: 'node', shownBy: [stored, 'DATA_DIR: dataDir'] },
  s3: { onlyOn: 'node', shownBy: ['src/platform/node/stores/s3-blobs.test.ts', 'createS3Blobs'] },
  redisUrl: { onlyOn: 'node', shownBy: ['test/storage-faults.test.ts', 'REDIS_URL'] },
  r2Domain: { shownBy: [stored, 'R2_DOMAIN'] },
  upstreamLinks: { shownBy: [stored, 'UPSTREAM_LINKS'] },
  storedDays: { shownBy: ['src/files/retention.test.ts', 'maxAgeSeconds'] },
  storedBytes: { shownBy: ['src/platform/workers/pictures.test.ts', 'STORED_BYTES'] },
  maxFileBytes: { shownBy: [inputs, 'MAX_FILE_BYTES'] },
  fileFetchAllow: { shownBy: [inputs, 'FILE_FETCH_ALLOW'] },
  imagePromptPrefix: { shownBy: ['test/images.test.ts', 'IMAGE_PROMPT_PREFIX'] },
  maxBodyBytes: { shownBy: [access, 'MAX_BODY_BYTES'] },
  maxHeldBytes: { shownBy: ['test/held-bytes.test.ts', "MAX_HELD_BYTES: '240000'"] },
  workers: { onlyOn: 'node', shownBy: ['test/drain.test.ts', "WORKERS: '3'"] },
  drainTimeout: { onlyOn: 'node', shownBy: ['test/drain.test.ts', "DRAIN_TIMEOUT: '1'"] },
  metricsKey: { onlyOn: 'node', shownBy: ['test/metrics.test.ts', 'METRICS_KEY: key'] },
  logLevel: { shownBy: ['test/start.test.ts', "LOG_LEVEL: 'debug'"] },
  historyDisabled: {
    async shows(bench) {
      const emulator = await bench.emulator();
      for (const value of ['true', 'false']) {
        const gateway = await bench.gateway({
          BASE_URL: emulator.url,
          PROXY_API_PREFIX: 'emulator-web',
          HISTORY_DISABLED: value,
        });
        await converse(gateway, 'hi');
        expect(emulator.payloads.at(-1).history_and_training_disabled).toBe(value === 'true');
      }
    },
  },
  maxStoredBytes: {
    // The workerd of these tests has no bucket. `src/platform/workers/pictures.test.ts` has one.
    runs: ['node'],
    async shows(bench) {
      const { url } = await bench.emulator();
      const env = { BASE_URL: url, PROXY_API_PREFIX: 'emulator-web' };
      expect(await converse(await bench.gateway(env), '/draw 1')).toContain('/images/');
      const small = await bench.gateway({ ...env, MAX_STORED_BYTES: '10' });
      expect(await converse(small, '/draw 1')).toContain('could not be fetched');
    },
  },
  modelsCacheSeconds: {
    async shows(bench) {
      const asked = async (seconds: string): Promise<number> => {
        const upstream = await bench.upstream({ '/v1/models': () => [json(200, '{"data":[]}')] });
        // A list is only merged, and so cached, if there are several upstreams.
        const config = {
          upstreams: Object.fromEntries(
            ['one', 'two'].map((name) => [name, { kind: 'openai', url: `${upstream.url}/v1`, key: 'k' }]),
          ),
        };
        const gateway = await bench.gateway({
          SLUICE_CONFIG: JSON.stringify(config),
          MODELS_CACHE_SECONDS: seconds,
          PUBLIC_RELAY: 'true',
        });
        for (let i = 0; i < 2; i++) await (await fetch(`${gateway.url}/v1/models`)).text();
        return upstream.asked.get('/v1/models') ?? 0;
      };
      expect([await asked('0'), await asked('60')]).toEqual([4, 2]);
    },
  },
  reusePort: {
    onlyOn: 'node',
    async shows(bench) {
      const { url } = await bench.gateway({ REUSE_PORT: 'true' });
      const port = new URL(url).port;
      await expect(bench.gateway({ PORT: port })).rejects.toThrow();
      expect((await bench.gateway({ PORT: port, REUSE_PORT: 'true' })).url).toBe(url);
    },
  },
  connectTimeout: {
    onlyOn: 'node',
    async shows(bench) {
      const gateway = await bench.gateway({
        OPENAI_BASE_URL: await bench.fullListener(),
        CONNECT_TIMEOUT: '1',
        TOTAL_TIMEOUT: '60',
      });
      expect(await (await post(gateway)).text()).toContain('CONNECT_TIMEOUT');
    },
  },
  httpsProxy: { onlyOn: 'node', shownBy: ['src/platform/node/outbound-proxy.test.ts', 'httpsProxy: url'] },
  httpProxy: { onlyOn: 'node', shownBy: ['test/outbound-proxy.test.ts', 'HTTP_PROXY: proxyUrl'] },
  noProxy: { onlyOn: 'node', shownBy: ['test/outbound-proxy.test.ts', "NO_PROXY: 'backend.example'"] },
};

export const effects: Readonly<Record<string, Effect>> = { ...relayEffects, ...otherEffects };
