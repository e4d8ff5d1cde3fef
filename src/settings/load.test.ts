import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { conversationModelNames } from '../upstreams/backend-api/model-names.ts';
import { backendModelNames } from './gpts.ts';
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
      'sluice.json: frobnicate: there is no such setting. Remove it. sluice --help lists all settings.',
    ],
    ['{"port": "http"}', 'sluice.json: port is "http", but must be a number.'],
    ['{"port": 70000}', 'sluice.json: port is 70000, but must be from 0 to 65535.'],
    [
      '{"accessKeys": "env:MISSING"}',
      'sluice.json: accessKeys: the environment has no MISSING. Set it, or write the value in the file.',
    ],
    [
      '{"upstreams": {"a": {"url": "ftp://x", "kind": "openai"}}}',
      'sluice.json: upstreams.a.url is "ftp://x", but must be an http:// or https:// address without user name, query or fragment.',
    ],
    ['{"upstreams": {"a": {"kind": "openai"}}}', 'sluice.json: upstreams.a.url is missing. Add it.'],
    [
      '{"allowedOrigins": ["https://a.example/path"]}',
      'sluice.json: allowedOrigins[0] is "https://a.example/path", but must be an origin as https://chat.example or http://host:port, without a path or wildcard, or *.',
    ],
    ['{"port": 1', 'sluice.json:1:11: not valid JSON (CloseBraceExpected). Correct the file there.'],
    ['[]', 'sluice.json: must hold one JSON object, as in {"port": 8080}.'],
    [
      '{"models": {"m": {"upstream": "x"}}}',
      'models.m.upstream: there is no upstream "x". Use one of: none is configured.',
    ],
  ])('%s', (text, error) => {
    expect(wrong({}, text)).toEqual([error]);
  });

  test('one from the environment names its name', () => {
    expect(wrong({ PORT: 'eighty' })).toEqual(['PORT is "eighty", but must be a number.']);
    expect(wrong({ OPENAI_BASE_URL: 'api.openai.com' })).toEqual([
      'OPENAI_BASE_URL is "api.openai.com", but must be an http:// or https:// address without user name, query or fragment.',
    ]);
  });

  test('a wrong value is shown, unless it may be a secret', () => {
    expect(wrong({ KEEPALIVE_SECONDS: '10s' })).toEqual([
      'KEEPALIVE_SECONDS is "10s", but must be a number.',
    ]);
    for (const env of [
      { ACCESS_KEYS: 'canary secret,b', OPENAI_API_KEY: 'canary key' },
      { OPENAI_BASE_URL: 'sk-canary' },
      { PORT: 'fk-canary' },
      { PUBLIC_URL: 'https://me:canary@gate.example' },
      { REDIS_URL: 'canary' },
      { HTTPS_PROXY: 'ftp://me:canary@proxy' },
      { API_PREFIX: 'canary-0123456789abcdefghijklm?' },
      { METRICS_KEY: 'canary key' },
    ])
      for (const error of wrong(env as unknown as Record<string, string>))
        expect(error).not.toContain('canary');
  });
});

describe('names and values as people write them', () => {
  test.each([
    ['https://pics.example', 'pics.example'],
    ['http://pics.example/', 'pics.example'],
    ['pics.example//', 'pics.example'],
    ['pics.example/a', 'pics.example/a'],
  ])('R2_DOMAIN=%s', (value, domain) => {
    expect(right({ R2_DOMAIN: value }).settings.r2Domain).toBe(domain);
  });

  test('a base URL that ends with # keeps its mark', () => {
    expect(right({ OPENAI_BASE_URL: 'http://host/x#' }).settings.upstreams.openai?.url).toBe(
      'http://host/x#',
    );
    expect(wrong({ OPENAI_BASE_URL: 'http://host/x#y' })).toEqual([
      expect.stringContaining('without user name'),
    ]);
  });

  test('R2_DOMAIN that is no domain is refused, and one without a bucket is warned of', () => {
    expect(wrong({ R2_DOMAIN: 'not a domain' })).toEqual([expect.stringContaining('must be a domain')]);
    expect(right({ R2_DOMAIN: 'pics.example' }).warnings).toEqual([expect.stringContaining('data folder')]);
  });

  test('an origin with a slash at its end, and log levels of other tools', () => {
    expect(
      right({ ALLOWED_ORIGINS: 'https://a.example/, http://b.example:81' }).settings.allowedOrigins,
    ).toEqual(['https://a.example', 'http://b.example:81']);
    for (const [written, level] of [
      ['DEBUG', 'debug'],
      ['Warning', 'warn'],
      ['CRITICAL', 'error'],
    ] as const)
      expect(right({ LOG_LEVEL: written }).settings.logLevel).toBe(level);
    expect(wrong({ LOG_LEVEL: 'loud' })).toEqual([
      'LOG_LEVEL is "loud", but must be debug, info, warn or error.',
    ]);
  });

  test.each([
    ['ACCESS_KEY', 'ACCESS_KEYS'],
    ['OPENAI_APIKEY', 'OPENAI_API_KEY'],
    ['OPENAI_KEY', 'OPENAI_API_KEY'],
    ['OPENAI_API_BASE', 'OPENAI_BASE_URL'],
    ['OPENAI_BASEURL', 'OPENAI_BASE_URL'],
    ['ALLOWED_ORIGIN', 'ALLOWED_ORIGINS'],
    ['METRIC_KEY', 'METRICS_KEY'],
    ['LOGLEVEL', 'LOG_LEVEL'],
    ['DATADIR', 'DATA_DIR'],
    ['KEEP_ALIVE_SECONDS', 'KEEPALIVE_SECONDS'],
    ['FIRSTBYTE_TIMEOUT', 'FIRST_BYTE_TIMEOUT'],
    ['SLUICE_PORT', 'PORT'],
  ])('%s is named as a misspelt %s', (name, meant) => {
    expect(right({ [name]: 'x' }).warnings).toEqual([
      `${name} is set in the environment, but there is no such setting. Did you mean ${meant}?`,
    ]);
    expect(right({ [name]: '' }).warnings).toEqual([]);
    expect(right({ [name]: 'a-key-0123456789' }, `{"metricsKey": "env:${name}"}`).warnings).toEqual([]);
  });

  test('names of other programs are not taken for misspelt ones', () => {
    const others = [
      'HOME',
      'PATH',
      'HOSTNAME',
      'SHELL',
      'TERM',
      'USER',
      'LANG',
      'PWD',
      'EDITOR',
      'NODE_ENV',
      'TZ',
    ];
    const ci = [
      'CI',
      'DISPLAY',
      'LOGNAME',
      'MAIL',
      'AWS_PROFILE',
      'AWS_DEFAULT_REGION',
      'REDIS_HOST',
      'npm_config_port',
    ];
    expect(right(Object.fromEntries([...others, ...ci].map((name) => [name, 'x']))).warnings).toEqual([]);
  });
});

describe('settings that need each other', () => {
  test.each([
    [{ PROXY_API_PREFIX: 'abc' }, 'PROXY_API_PREFIX is set, but BASE_URL is not.'],
    [{ BACKEND_API_KEY: 'abc' }, 'BACKEND_API_KEY is set, but BASE_URL is not.'],
    [
      { S3_ENDPOINT: 'http://s3' },
      'S3_ENDPOINT is set, but S3_BUCKET, S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY are not.',
    ],
    [
      { S3_BUCKET: 'b', S3_ENDPOINT: 'http://s3', AWS_ACCESS_KEY_ID: 'a' },
      'S3_ENDPOINT is set, but S3_SECRET_ACCESS_KEY is not.',
    ],
  ])('%j is refused', (env, words) => {
    expect(wrong(env as unknown as Record<string, string>)).toEqual([expect.stringContaining(words)]);
  });

  test('the names of S3 tools alone switch no store on, and complete one of ours', () => {
    expect(
      right({ AWS_REGION: 'eu', AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' }).settings.s3,
    ).toBeUndefined();
    expect(
      right({ S3_BUCKET: 'b', S3_ENDPOINT: 'http://s3', AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 's' })
        .settings.s3,
    ).toMatchObject({ accessKey: 'a', secretKey: 's' });
  });

  test('the environment completes what the file begins', () => {
    const { settings } = right(
      { BACKEND_API_KEY: 'key-of-owner', S3_SECRET_ACCESS_KEY: 'secret' },
      `{"upstreams": {"backend": {"kind": "backend-api", "url": "http://p"}},
        "s3": {"bucket": "b", "endpoint": "http://s3", "accessKey": "a"}}`,
    );
    expect(settings.upstreams.backend).toMatchObject({ url: 'http://p', keys: ['key-of-owner'] });
    expect(settings.s3).toMatchObject({ bucket: 'b', secretKey: 'secret' });
  });

  test('BACKEND_API_KEY is the server-side key of BASE_URL, and a secret', () => {
    const loaded = right({ BASE_URL: 'http://p', BACKEND_API_KEY: 'one,two' });
    expect(loaded.settings.upstreams.backend).toMatchObject({ kind: 'backend-api', keys: ['one', 'two'] });
    expect(loaded.secrets).toEqual(['one', 'two']);
  });

  test('a name that the file refers to defines no further upstream', () => {
    const { settings } = right(
      { OPENAI_API_KEY: 'sk-1', BACKEND_API_KEY: 'b' },
      `{"upstreams": {"main": {"kind": "openai", "url": "http://a", "key": "env:OPENAI_API_KEY"},
        "web": {"kind": "backend-api", "url": "http://p", "key": "env:BACKEND_API_KEY"}}}`,
    );
    expect(Object.keys(settings.upstreams)).toEqual(['main', 'web']);
  });

  test('the upstream "openai" of a file needs no address', () => {
    const { settings } = right({}, '{"upstreams": {"openai": {"kind": "openai", "key": "sk-1"}}}');
    expect(settings.upstreams.openai?.url).toBe('https://api.openai.com/v1');
  });
});

describe('a name that stands twice', () => {
  test('is an error in the file, with its lines', () => {
    expect(wrong({}, '{"models": {\n"a": {"upstream": "x"},\n"a": {"upstream": "y"}}}')).toEqual([
      'sluice.json: models.a is there twice (lines 2 and 3). Keep one of them.',
    ]);
  });

  const gptsFile = (text: string) =>
    loadSettings({
      env: { BASE_URL: 'http://p' },
      platform: 'node',
      gptsFile: { name: 'gpts.json', text },
    });

  test('is an error in gpts.json, and so is the name of a built-in model', () => {
    expect(gptsFile('{"a": {"id": "g-1"}, "a": {"id": "g-2"}}')).toMatchObject({
      ok: false,
      errors: ['gpts.json: a is there twice (lines 1 and 1). Keep one of them.'],
    });
    expect(gptsFile('{"gpt-4": {"id": "g-1"}}')).toMatchObject({
      ok: false,
      errors: [expect.stringContaining('gpts.gpt-4: "gpt-4" is a model of the backend-api upstream')],
    });
    expect(gptsFile('{"mine": {"id": "g-1"}}')).toMatchObject({ ok: true });
  });

  test('deep nesting is refused, not followed', () => {
    expect(wrong({}, `{"models": ${'['.repeat(200)}${']'.repeat(200)}}`)).toEqual([
      expect.stringContaining('nested too deeply'),
    ]);
  });
});

test('the names of built-in models are those that the upstream serves', () => {
  expect(backendModelNames).toEqual(conversationModelNames);
});

test('a proxy is read from either case, and its password is a secret', () => {
  const loaded = right({ https_proxy: 'http://me:p%40ss@proxy:3128', NO_PROXY: 'a.example' });
  expect(loaded.settings).toMatchObject({ httpsProxy: 'http://me:p%40ss@proxy:3128', noProxy: 'a.example' });
  expect(loaded.secrets).toEqual(['p%40ss', 'p@ss']);
  expect(right({ HTTP_PROXY: 'proxy:3128' }).settings.httpProxy).toBe('http://proxy:3128');
  expect(loadSettings({ env: { HTTPS_PROXY: 'http://p:1' }, platform: 'workers' })).toMatchObject({
    warnings: [expect.stringContaining('no effect on Workers')],
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
    [{ TRUSTED_PROXIES: 'nginx' }, 'TRUSTED_PROXIES is "nginx", but must be addresses'],
    [{ TRUSTED_PROXIES: '10.0.0.0/99' }, 'TRUSTED_PROXIES is "10.0.0.0/99", but must be addresses'],
    [{ TRUSTED_PROXIES: '127.1' }, 'TRUSTED_PROXIES is "127.1", but must be addresses'],
    [{ ACCESS_SCOPES: 'chat' }, 'ACCESS_SCOPES is "chat", but must be inference'],
    [{ ALLOWED_ORIGINS: 'https://*.example' }, 'must be an origin as https://chat.example'],
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
