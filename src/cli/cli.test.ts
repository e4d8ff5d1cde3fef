import { execFile } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { describeSettings } from '../settings/schema.ts';

const bin = resolve('bin/sluice.js');

function sluice(
  args: readonly string[],
  env: Record<string, string> = {},
  cwd?: string,
): Promise<{ code: number; out: string; err: string }> {
  return new Promise((done) => {
    execFile(
      process.execPath,
      [bin, ...args],
      { env: { PATH: process.env.PATH ?? '', ...env }, cwd },
      (error, out, err) => done({ code: error ? Number(error.code) : 0, out, err }),
    );
  });
}

test('--help lists the commands and every setting', async () => {
  const { code, out } = await sluice(['--help']);
  expect(code).toBe(0);
  for (const { key, env } of describeSettings())
    for (const name of [env ?? key, key]) expect(out).toContain(name);
  for (const command of ['start', 'check', 'schema'])
    expect(out).toContain(`sluice ${command}`.replace(' start', ' [start]'));
});

test('--version is the package’s, schema a JSON Schema', async () => {
  expect((await sluice(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  expect(JSON.parse((await sluice(['schema'])).out)).toMatchObject({
    title: 'sluice settings',
    properties: { port: { type: 'integer' } },
  });
});

test('check explains a configuration, and keeps secrets to itself', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-check-'));
  await writeFile(
    join(folder, 'sluice.json'),
    '{ "port": 9000, "accessKeys": ["env:TEAM"], "models": {"fast": {"upstream": "openai", "model": "gpt-4o-mini"}} }',
  );
  const { code, out } = await sluice(
    ['check', '--offline'],
    { TEAM: 'canary-team-key-long', OPENAI_API_KEY: 'sk-canary', API_PREFIX: 'x' },
    folder,
  );
  expect(code).toBe(0);
  expect(out).toContain('openai: https://api.openai.com/v1, with a server-side key, for any model');
  expect(out).toContain('model fast → gpt-4o-mini at openai');
  expect(out).toContain('callers with the access key');
  expect(out).toContain('port = 9000   (sluice.json)');
  expect(out).toContain('apiPrefix = "x"   (API_PREFIX)');
  expect(out).not.toContain('canary');
});

test.each([
  [['check'], { PORT: 'x' }, 1, 'PORT is "x", but must be a number.'],
  [
    ['check', '--config', 'nowhere.json'],
    {},
    1,
    'nowhere.json could not be read (ENOENT). Check the path in --config',
  ],
  [['chekc'], {}, 2, 'Did you mean "check"?'],
  [['--colour'], {}, 2, '"sluice --help" lists the options'],
  [['check', 'sluice.json'], {}, 2, '--config FILE'],
])('%j with %j exits %d', async (args, env, code, words) => {
  const result = await sluice(args, env as Record<string, string>);
  expect(result.code).toBe(code);
  expect(result.out + result.err).toContain(words);
});

test('a gpts.json is found where it stands, or where the settings say', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-gpts-'));
  await writeFile(join(folder, 'gpts.json'), '{"poet": {"id": "g-poet"}}');
  await writeFile(join(folder, 'others.json'), '{"cook": {"id": "wrong"}}');
  await writeFile(join(folder, 'sluice.json'), '{"gptsFile": "others.json"}');
  const here = await sluice(['check'], { BASE_URL: 'http://127.0.0.1:1', SLUICE_CONFIG: '{}' }, folder);
  expect(here.out).toContain('gpts = {"poet":{"id":"g-poet"}}');
  const named = await sluice(['check'], { BASE_URL: 'http://127.0.0.1:1' }, folder);
  expect([named.code, named.out]).toEqual([
    1,
    expect.stringContaining('others.json: cook.id must be the id of a GPT'),
  ]);
  const gone = await sluice(['check'], { GPTS_FILE: 'nowhere.json' }, folder);
  expect(gone.out).toContain('nowhere.json could not be read (ENOENT)');
});

test('gpts.json is found beside the settings file, from any folder', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-beside-'));
  await writeFile(join(folder, 'config.json'), '{"upstream_base_url": "http://127.0.0.1:1"}');
  await writeFile(join(folder, 'gpts.json'), '{"classic": {"id": "g-classic"}}');
  const { out } = await sluice(['check', '--offline'], { SLUICE_CONFIG: join(folder, 'config.json') });
  expect(out).toContain('gpts = {"classic":{"id":"g-classic"}}');
});

describe('.env', () => {
  test('is read in the working folder, and the process wins', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-dotenv-'));
    await writeFile(
      join(folder, '.env'),
      'OPENAI_API_KEY="sk-canary-of-dotenv"\nPORT=9001 # a comment\nAPI_PREFIX=a\nACCESS_KEY=x\n',
    );
    const { out } = await sluice(['check', '--offline'], { API_PREFIX: 'b', PORT: '' }, folder);
    expect(out).toContain('with a server-side key');
    expect(out).toContain('port = 9001');
    expect(out).toContain('apiPrefix = "b"');
    expect(out).toContain('Did you mean ACCESS_KEYS?');
    expect(out).not.toContain('canary');
  });

  test('is read beside the settings file that it is named with, or names itself', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-dotenv-'));
    await writeFile(join(folder, 'mine.json'), '{"accessKeys": ["env:TEAM"]}');
    await writeFile(join(folder, '.env'), 'TEAM=key-of-the-team-0123\nSLUICE_CONFIG=mine.json\n');
    expect((await sluice(['check', '--offline', '-c', join(folder, 'mine.json')])).out).toContain(
      'accessKeys = 1 set',
    );
    expect((await sluice(['check', '--offline'], {}, folder)).out).toContain('accessKeys = 1 set');
  });
});

describe('check tries what the settings name', () => {
  const password = 'canary-password';
  test('and says what does not work, without a secret', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-world-'));
    await writeFile(join(folder, 'file'), '');
    const { code, out } = await sluice(['check'], {
      DATA_DIR: join(folder, 'file'),
      REDIS_URL: `redis://user:${password}@127.0.0.1:1/2`,
      OPENAI_BASE_URL: 'http://127.0.0.1:1',
      OPENAI_API_KEY: 'sk-canary-0123456789',
      HTTPS_PROXY: `http://me:${password}@proxy.example:3128`,
    });
    expect(code).toBe(1);
    expect(out).toContain('not everything works');
    expect(out).toMatch(/✗ data folder \S+: \S+ is not a folder/);
    expect(out).toMatch(/✗ Redis at 127\.0\.0\.1:1: nothing listens there/);
    expect(out).toMatch(/✗ upstream openai at http:\/\/127\.0\.0\.1:1: /);
    expect(out).toContain('redisUrl = "redis://***@127.0.0.1:1/2"');
    expect(out).toContain('httpsProxy = "http://***@proxy.example:3128/"');
    expect(out).not.toContain('canary');
  });

  test('S3 as well, and it is shown without its keys', async () => {
    const { code, out } = await sluice(['check'], {
      S3_BUCKET: 'b',
      S3_ENDPOINT: 'http://127.0.0.1:1',
      S3_ACCESS_KEY_ID: 'canary-id-0123',
      S3_SECRET_ACCESS_KEY: 'canary-secret-0123',
    });
    expect(code).toBe(1);
    expect(out).toMatch(/✗ S3 bucket b at http:\/\/127\.0\.0\.1:1: /);
    expect(out).toContain('"bucket":"b"');
    expect(out).not.toContain('canary');
  });

  test('an upstream that is there, one that refuses the key, and a folder that can be created', async () => {
    const seen: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      seen.push(`${request.url} ${request.headers.authorization}`);
      response.statusCode = request.headers.authorization === 'Bearer sk-right' ? 200 : 401;
      response.end('{}');
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as AddressInfo;
    const folder = await mkdtemp(join(tmpdir(), 'sluice-world-'));
    const env = { OPENAI_BASE_URL: `http://127.0.0.1:${port}`, DATA_DIR: join(folder, 'new/data') };
    const right = await sluice(['check'], { ...env, OPENAI_API_KEY: 'sk-right' });
    expect([right.code, right.out]).toEqual([0, expect.stringContaining('answers and accepts the key')]);
    expect(right.out).toContain('new/data: can be created');
    const wrong = await sluice(['check'], { ...env, OPENAI_API_KEY: 'sk-wrong' });
    expect([wrong.code, wrong.out]).toEqual([
      1,
      expect.stringContaining('refuses the server-side key (status 401)'),
    ]);
    const none = await sluice(['check'], env);
    expect([none.code, none.out]).toEqual([0, expect.stringContaining('answers (status 401 without a key)')]);
    expect(seen).toEqual([
      '/v1/models Bearer sk-right',
      '/v1/models Bearer sk-wrong',
      '/v1/models undefined',
    ]);
    server.close();
    server.closeAllConnections();
  });
});
