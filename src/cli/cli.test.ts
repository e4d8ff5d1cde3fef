import { execFile } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
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
    ['check'],
    { TEAM: 'canary-team-key-long', OPENAI_API_KEY: 'sk-canary', API_PREFIX: 'x' },
    folder,
  );
  expect(code).toBe(0);
  expect(out).toContain('openai: https://api.openai.com/v1, with a server-side key, for any model');
  expect(out).toContain('model fast → gpt-4o-mini at openai');
  expect(out).toContain('whoever presents one of 1 access keys');
  expect(out).toContain('port = 9000   (sluice.json)');
  expect(out).toContain('apiPrefix = "x"   (API_PREFIX)');
  expect(out).not.toContain('canary');
});

test.each([
  [['check'], { PORT: 'x' }, 1, 'PORT: is text, but must be a number.'],
  [['check', '--config', 'nowhere.json'], {}, 1, 'nowhere.json: could not be read (ENOENT)'],
  [['chekc'], {}, 2, 'Did you mean "check"?'],
  [['--colour'], {}, 2, 'sluice --help lists the options'],
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
    expect.stringContaining('others.json: cook.id: must be the id of a GPT'),
  ]);
  const gone = await sluice(['check'], { GPTS_FILE: 'nowhere.json' }, folder);
  expect(gone.out).toContain('nowhere.json: could not be read (ENOENT)');
});
