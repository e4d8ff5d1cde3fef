import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Loaded, loadSettings } from './load.ts';

type Right = Extract<Loaded, { ok: true }>;

function right(env: Record<string, string>, text?: string): Right {
  const loaded = load(env, text);
  if (!loaded.ok) throw new Error(loaded.errors.join('\n'));
  return loaded;
}

function wrong(env: Record<string, string>, text?: string): readonly string[] {
  const loaded = load(env, text);
  if (loaded.ok) throw new Error('nothing was wrong');
  for (const error of loaded.errors) expect(error).not.toContain('\n');
  return loaded.errors;
}

function load(env: Record<string, string>, text?: string): Loaded {
  return loadSettings({
    env,
    platform: 'node',
    file: text === undefined ? undefined : { name: 'sluice.json', text },
  });
}

test('without anything, it listens on this machine and has no upstream', () => {
  expect(right({}).settings).toMatchObject({
    host: '127.0.0.1',
    port: 8080,
    upstreams: {},
    keepAlive: 25,
    maxBodyBytes: 33_554_432,
  });
});

describe('the environment', () => {
  test('makes an upstream of OPENAI_API_KEY alone, or of OPENAI_BASE_URL alone', () => {
    expect(right({ OPENAI_API_KEY: 'sk-1' }).settings.upstreams).toMatchObject({
      openai: { kind: 'openai', url: 'https://api.openai.com/v1', keys: ['sk-1'] },
    });
    expect(right({ OPENAI_BASE_URL: 'http://localhost:1234' }).settings.upstreams).toMatchObject({
      openai: { kind: 'openai', url: 'http://localhost:1234', keys: [] },
    });
  });

  test('is read by the type of each setting', () => {
    expect(
      right({
        PORT: '0',
        ACCESS_KEYS: ' key-one-is-long, key-two-is-long ,',
        PUBLIC_RELAY: 'yes',
        MAX_BODY_BYTES: '1.5MiB',
        API_PREFIX: '/secret/',
        PUBLIC_URL: '',
      }).settings,
    ).toMatchObject({
      port: 0,
      accessKeys: [
        { name: null, key: 'key-one-is-long' },
        { name: null, key: 'key-two-is-long' },
      ],
      publicRelay: true,
      maxBodyBytes: 1_572_864,
      apiPrefix: 'secret',
    });
  });

  test('may use the older names', () => {
    expect(right({ UPLOAD_BASE_URL: 'https://gate.example' }).settings.publicUrl).toBe(
      'https://gate.example',
    );
  });

  test('goes before the file', () => {
    const loaded = right(
      { PORT: '1', OPENAI_API_KEY: 'sk-env' },
      '{"port": 2, "host": "::1", "upstreams": {"openai": {"kind": "openai", "url": "http://a/v1"}}}',
    );
    expect(loaded.settings).toMatchObject({
      port: 1,
      host: '::1',
      upstreams: { openai: { url: 'http://a/v1', keys: ['sk-env'] } },
    });
    expect(loaded.origins).toMatchObject({
      port: 'PORT',
      host: 'sluice.json',
      'upstreams.openai.keys': 'OPENAI_API_KEY',
    });
  });
});

describe('an access key', () => {
  test('may have a name, which is no secret', () => {
    const loaded = right({ ACCESS_KEYS: 'alice=key-of-alice-is-long,bm8tbmFtZS1oZXJl==,x=y=z' });
    expect(loaded.settings.accessKeys).toEqual([
      { name: 'alice', key: 'key-of-alice-is-long' },
      { name: null, key: 'bm8tbmFtZS1oZXJl==' },
      { name: 'x', key: 'y=z' },
    ]);
    expect(loaded.secrets).toEqual(['key-of-alice-is-long', 'bm8tbmFtZS1oZXJl==', 'y=z']);
  });

  test('must not share its name with another one', () => {
    expect(wrong({ ACCESS_KEYS: 'a=key-one-is-long,a=key-two-is-long' })[0]).toContain('same name');
  });
});

describe('the file', () => {
  test('may hold comments, trailing commas, sizes in words, and a single key', () => {
    const { settings } = right(
      {},
      `{ // where
        "maxBodyBytes": "64KiB", "publicRelay": "true",
        "upstreams": { "a": { "kind": "openai", "url": "http://a", "key": "sk-1", }, }, /* done */
      }`,
    );
    expect(settings).toMatchObject({
      maxBodyBytes: 65_536,
      publicRelay: true,
      upstreams: { a: { keys: ['sk-1'] } },
    });
  });

  test('takes secrets from the environment, and knows them as secrets', () => {
    const loaded = right({ TEAM: 'a-long-access-key' }, '{"accessKeys": ["env:TEAM"]}');
    expect(loaded.settings.accessKeys).toEqual([{ name: null, key: 'a-long-access-key' }]);
    expect(loaded.secrets).toEqual(['a-long-access-key']);
  });
});

describe('an error is one line that names file, key and fix', () => {
  test.each([
    ['{"prot": 1}', 'sluice.json: prot: there is no such setting. Did you mean "port"?'],
    ['{"access_keys": []}', 'sluice.json: access_keys: there is no such setting. Did you mean "accessKeys"?'],
    [
      '{"frobnicate": 1}',
      'sluice.json: frobnicate: there is no such setting. Remove it; sluice --help lists all settings.',
    ],
    ['{"port": "http"}', 'sluice.json: port: is text, but must be a number. Correct it.'],
    ['{"port": 70000}', 'sluice.json: port: must be from 0 to 65535. Correct it.'],
    [
      '{"accessKeys": "env:MISSING"}',
      'sluice.json: accessKeys: the environment has no MISSING. Set it, or write the value in the file.',
    ],
    [
      '{"upstreams": {"a": {"url": "ftp://x", "kind": "openai"}}}',
      'sluice.json: upstreams.a.url: must be an http:// or https:// address without user name, query or fragment. Correct it.',
    ],
    ['{"upstreams": {"a": {"kind": "openai"}}}', 'sluice.json: upstreams.a.url: is missing. Add it.'],
    [
      '{"allowedOrigins": ["https://a.example/path"]}',
      'sluice.json: allowedOrigins[0]: must be origins: scheme://host[:port], without a path or wildcard, or *. Correct it.',
    ],
    ['{"port": 1', 'sluice.json:1:11: not valid JSON (CloseBraceExpected). Mend the file there.'],
    ['[]', 'sluice.json: must hold one JSON object, as in {"port": 8080}.'],
    [
      '{"models": {"m": {"upstream": "x"}}}',
      'models.m.upstream: there is no upstream of that name. Use one of: none is configured.',
    ],
  ])('%s', (text, error) => {
    expect(wrong({}, text)).toEqual([error]);
  });

  test('one from the environment names its name', () => {
    expect(wrong({ PORT: 'eighty' })).toEqual(['PORT: is text, but must be a number. Correct it.']);
    expect(wrong({ OPENAI_BASE_URL: 'api.openai.com' })).toEqual([
      'OPENAI_BASE_URL: must be an http:// or https:// address without user name, query or fragment. Correct it.',
    ]);
  });

  test('no error repeats a value, which may be a secret', () => {
    for (const error of wrong({ ACCESS_KEYS: 'canary secret,b', OPENAI_API_KEY: 'canary key' }))
      expect(error).not.toContain('canary');
  });
});

describe('a server-side key that nothing guards', () => {
  const key = { OPENAI_API_KEY: 'sk-server-key' };
  test.each([
    ['on loopback', { ...key }, true],
    ['on every network', { ...key, HOST: '0.0.0.0' }, false],
    ['with any origin', { ...key, HOST: '0.0.0.0', ALLOWED_ORIGINS: '*' }, false],
    ['with access keys', { ...key, HOST: '0.0.0.0', ACCESS_KEYS: 'a-long-access-key' }, true],
    ['with origins', { ...key, HOST: '0.0.0.0', ALLOWED_ORIGINS: 'https://a.example' }, true],
    ['said to be meant', { ...key, HOST: '0.0.0.0', PUBLIC_RELAY: 'true' }, true],
  ])('%s: may start is %s', (_, env, may) => {
    expect(load(env as Record<string, string>).ok).toBe(may);
  });

  test('is refused on Workers, which have no loopback', () => {
    const loaded = loadSettings({ env: key, platform: 'workers' });
    expect(loaded).toMatchObject({ ok: false, errors: [expect.stringContaining('PUBLIC_RELAY=true')] });
  });
});

test('on Workers the settings may stand in SLUICE_CONFIG itself', () => {
  const loaded = loadSettings({ env: { SLUICE_CONFIG: '// mine\n{"keepAlive": 3}' }, platform: 'workers' });
  expect(loaded).toMatchObject({ ok: true, settings: { keepAlive: 3 } });
});

test('no text makes it throw', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      expect(typeof load({}, text).ok).toBe('boolean');
    }),
    { numRuns: 500 },
  );
});

describe('proxies and scopes', () => {
  test('are lists', () => {
    expect(
      right({ TRUSTED_PROXIES: '127.0.0.1, 10.0.0.0/8,fd00::/8', ACCESS_SCOPES: 'inference,files' }).settings,
    ).toMatchObject({
      trustedProxies: ['127.0.0.1', '10.0.0.0/8', 'fd00::/8'],
      accessScopes: ['inference', 'files'],
      logClientAddress: true,
    });
  });

  test.each([
    [{ TRUSTED_PROXIES: 'nginx' }, 'TRUSTED_PROXIES: must be addresses'],
    [{ TRUSTED_PROXIES: '10.0.0.0/99' }, 'TRUSTED_PROXIES: must be addresses'],
    [{ TRUSTED_PROXIES: '127.1' }, 'TRUSTED_PROXIES: must be addresses'],
    [{ ACCESS_SCOPES: 'chat' }, 'ACCESS_SCOPES: must be inference'],
    [{ ALLOWED_ORIGINS: 'https://*.example' }, 'ALLOWED_ORIGINS: must be origins'],
  ])('%j is refused', (env, words) => {
    expect(wrong(env as Record<string, string>)[0]).toContain(words);
  });

  test('a trusted proxy opens a loopback gateway to others', () => {
    expect(wrong({ OPENAI_API_KEY: 'sk-1', TRUSTED_PROXIES: '127.0.0.1' })[0]).toContain('open relay');
  });

  test.each([
    [{ HOST: '0.0.0.0', ACCESS_KEYS: 'a-long-access-key' }, true],
    [{ ACCESS_KEYS: 'a-long-access-key', PUBLIC_URL: 'https://a.example' }, true],
    [{ ACCESS_KEYS: 'a-long-access-key', HOST: '0.0.0.0', ACCESS_SCOPES: 'inference' }, false],
    [{ ACCESS_KEYS: 'a-long-access-key' }, false],
    [{}, false],
  ])('%j: a notice that the whole account is shared: %s', (env, isWarned) => {
    const { warnings } = right({ OPENAI_API_KEY: 'sk-1', ...(env as Record<string, string>) });
    expect(warnings.some((warning) => warning.startsWith('accessScopes'))).toBe(isWarned);
  });

  test.each(['toString', 'constructor', '__proto__'])('an upstream named %s must exist', (name) => {
    expect(wrong({}, `{"models": {"m": {"upstream": ${JSON.stringify(name)}}}}`)[0]).toContain('upstream');
  });
});
