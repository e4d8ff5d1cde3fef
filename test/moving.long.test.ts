import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Emulated, startEmulator } from './emulated.ts';
import { startProcess } from './process.ts';
import { schemaErrors } from './settings-schema.ts';

let web: Emulated;
beforeAll(async () => {
  web = await startEmulator();
});
afterAll(() => web.stop());

/** A folder with an older project's files in it. */
function folderOf(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-older-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

function sluice(args: readonly string[], env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['bin/sluice.js', ...args], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH ?? '', ...env },
    timeout: 60_000,
  });
  return { status, stdout, stderr };
}

function moved(files: Record<string, string>): { out: string; stdout: string; text: string } {
  const folder = folderOf(files);
  const out = join(folder, 'sluice.json');
  const { status, stdout, stderr } = sluice(['import', folder, '--out', out]);
  expect(stderr).toBe('');
  expect(status).toBe(0);
  const text = readFileSync(out, 'utf8');
  expect(schemaErrors(text)).toEqual([]);
  return { out, stdout, text };
}

/** What a gateway with these settings answers. */
async function served(
  out: string,
  path: string,
  { env = {}, key = 'fk-caller', model }: { env?: Record<string, string>; key?: string; model: string },
): Promise<string> {
  const gateway = await startProcess({ SLUICE_CONFIG: out, PORT: '0', HOST: '127.0.0.1', ...env });
  try {
    const answer = await fetch(gateway.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model, messages: [{ role: 'user', content: 'a word from here' }] }),
    });
    expect(answer.status).toBe(200);
    return await answer.text();
  } finally {
    gateway.child.kill();
    await gateway.exited;
  }
}

describe('each of the older projects, as its README sets it up, is imported and served', () => {
  test('PandoraToV1Api with a config.json, GPTs and a published port', async () => {
    const { out, stdout, text } = moved({
      'data/config.json': JSON.stringify({
        log_level: 'DEBUG',
        need_log_to_file: 'true',
        process_workers: 2,
        process_threads: 2,
        pandora_base_url: web.url,
        pandora_api_prefix: 'emulator-web',
        backend_container_url: 'http://1.2.3.4:50011',
        backend_container_api_prefix: 'secret666',
        key_for_gpts_info: 'fk-for-gpts-info',
        gpt_4_s_new_name: 'gpt-4-s',
        gpt_4_mobile_new_name: 'gpt-4-mobile,my-painter',
        gpt_3_5_new_name: 'gpt-3.5-turbo',
        need_delete_conversation_after_response: 'true',
        use_oaiusercontent_url: 'false',
        custom_arkose_url: 'false',
        arkose_urls: '',
        proxy_pool: 'x',
        dalle_prompt_prefix: 'Draw this:',
        bot_mode: { enabled: 'false' },
      }),
      'gpts.json': '{"classic": {"id": "g-abc-classic"}}',
      'docker-compose.yml':
        'services:\n  backend-to-api:\n    image: x\n    ports:\n      - "50011:33333"\n    environment:\n      - TZ=Asia/Shanghai\n',
    });
    expect(text).toContain('"url": ');
    expect(text).toContain('// Public address of this gateway.');
    expect(text).toContain('"port": 50011');
    expect(statSync(out).mode & 0o077).toBe(0);
    expect(stdout).toContain('proxy_pool is skipped: there is no such setting here.');
    expect(stdout).toContain('TZ is skipped');
    expect(stdout).toContain('1 GPT is copied');
    for (const model of ['my-painter', 'classic', 'gpt-4-s'])
      expect(await served(out, '/secret666/v1/chat/completions', { model })).toContain(
        'You said: a word from here',
      );
  });

  test('PandoraToV1Api of the time before config.json, by its compose file', async () => {
    const { out, stdout, text } = moved({
      'docker-compose.yml': `version: '3'
services:
  backend-to-api:
    build: .
    ports:
      - "50011:33333"
    environment:
      - BASE_URL=${web.url}
      - PROXY_API_PREFIX=emulator-web
      - UPLOAD_BASE_URL=http://127.0.0.1:50012
      - KEY_FOR_GPTS_INFO=<a key of yours>
  uploader:
    build: ./upload
    ports:
      - "50012:50012"
`,
      'gpts.json': '{"classic": {"id": "g-abc-classic"}}',
    });
    expect(stdout).toContain('KEY_FOR_GPTS_INFO: "<a key of yours>" is a sample value and is skipped.');
    expect(stdout).toContain('UPLOAD_BASE_URL led to the uploader on port 50012.');
    expect(text).toContain('"publicUrl": "http://127.0.0.1:50011"');
    expect(stdout).toContain('"alwaysAllowActions": true');
    expect(await served(out, '/v1/chat/completions', { model: 'classic' })).toContain(
      'You said: a word from here',
    );
  });

  test.each([
    ['"127.0.0.1:8000:33333"', { port: 8000, host: '127.0.0.1' }],
    ['"8000:33333/tcp"', { port: 8000, host: '0.0.0.0' }],
    ['{target: 33333, published: "8000", host_ip: 127.0.0.1}', { port: 8000, host: '127.0.0.1' }],
  ])('a port published as %s is kept, on the same addresses', (port, expected) => {
    const { text } = moved({
      'docker-compose.yml': `services:\n  api:\n    ports: [${port}]\n    environment:\n      PROCESS_WORKERS: 3\n`,
    });
    const values = Object.fromEntries(
      [...text.matchAll(/"(port|host|workers)": "?([\w.]+)"?/g)].map(([, name, value]) => [name, value]),
    );
    expect(values).toEqual({ port: String(expected.port), host: expected.host, workers: '3' });
  });

  test('the data folder itself is enough: the port is found one folder up', () => {
    const folder = folderOf({
      'data/config.json': JSON.stringify({ upstream_base_url: web.url, upstream_api_prefix: 'emulator-web' }),
      'docker-compose.yml': 'services:\n  a:\n    ports: ["50011:33333"]\n',
    });
    const out = join(folder, 'sluice.json');
    expect(sluice(['import', join(folder, 'data'), '--out', out]).stdout).toContain('50011, is kept');
    expect(readFileSync(out, 'utf8')).toContain('"port": 50011');
  });

  test('pictures of old conversations keep their links', async () => {
    const folder = folderOf({
      'data/config.json': JSON.stringify({ upstream_base_url: web.url }),
      'images/image_20231217044452.png': 'not really a picture',
      'images/secret.txt': 'not copied',
      'images/image_x.png': 'not copied',
    });
    const out = join(folder, 'sluice.json');
    const env = { DATA_DIR: join(folder, 'new-data') };
    const { stdout } = sluice(['import', folder, '--out', out], env);
    expect(stdout).toContain('1 picture was copied to');
    const gateway = await startProcess({ SLUICE_CONFIG: out, PORT: '0', HOST: '127.0.0.1', ...env });
    const get = (name: string) => fetch(`${gateway.url}/images/${name}`);
    const picture = await get('image_20231217044452.png');
    expect([picture.status, picture.headers.get('content-type'), await picture.text()]).toEqual([
      200,
      'image/png',
      'not really a picture',
    ]);
    for (const name of ['secret.txt', 'image_x.png', 'image_20231217044453.png', 'image_20231217044452.jpg'])
      expect((await get(name)).status).toBe(404);
    gateway.child.kill();
    await gateway.exited;
  }, 60_000);

  test('RefreshToV1Api', async () => {
    const { out, text } = moved({
      'data/config.json': JSON.stringify({
        log_level: 'INFO',
        proxy: '',
        upstream_base_url: web.url,
        upstream_api_prefix: ['emulator-web'],
        gpt_4_o_new_name: 'gpt-4-o',
        refresh_ToAccess: { stream_sleep_time: 0.01, enableOai: 'false' },
        bot_mode: { enabled: 'true', enabled_plugin_output: 'true' },
      }),
    });
    expect(text).toContain('"pace": 10');
    expect(text).toContain('"toolOutput": true');
    expect(await served(out, '/v1/chat/completions', { model: 'gpt-4-o' })).toContain(
      'You said: a word from here',
    );
  });

  test('p2vapi_worker', async () => {
    const { out, stdout } = moved({
      'wrangler.toml': `name = "pandorav2api"
main = "src/p2vapi.ts"
[vars]
BASE_URL = "${web.url}"
PROXY_API_PREFIX = "emulator-web"
R2_DOMAIN = "https://your-r2-url.com"
[[r2_buckets]]
binding = 'R2buket'
bucket_name = 'pictures'
`,
    });
    expect(stdout).toContain('"name": "pandorav2api"');
    expect(stdout).toContain('"binding": "R2buket"');
    expect(stdout).toContain('R2_DOMAIN: "https://your-r2-url.com" is a sample value and is skipped.');
    expect(await served(out, '/v1/chat/completions', { model: 'gpt-4-32k' })).toContain(
      'You said: a word from here',
    );
  });

  test('openai-workers-proxy: its secret stays where it is', async () => {
    const { out, stdout, text } = moved({
      'wrangler.toml': 'name = "openai-workers"\n[vars]\n# OPENAI_API_KEY = ""\n',
      '.env': `OPENAI_API_KEY=sk-canary-secret\nexport OPENAI_BASE_URL="${web.url}/v1"\n`,
    });
    expect(text).not.toContain('canary');
    expect(text).toContain('env:OPENAI_API_KEY');
    expect(stdout).toContain('wrangler secret put OPENAI_API_KEY');
    const env = { OPENAI_API_KEY: 'sk-canary-secret' };
    expect(await served(out, '/', { env, model: 'gpt-3.5-turbo' })).toContain('a word from here');
    // Its pictures too come by the root.
    const gateway = await startProcess({ SLUICE_CONFIG: out, PORT: '0', HOST: '127.0.0.1', ...env });
    for (const body of ['{"action":"generate-image","prompt":"A cat"}', '{"prompt":"A cat"}']) {
      const answer = await fetch(gateway.url, { method: 'POST', body });
      expect(await answer.json()).toMatchObject({ data: [expect.anything()] });
    }
    gateway.child.kill();
  });

  test('openai-workers-proxy as its README leaves it: the key is a secret at Cloudflare', async () => {
    const { out, stdout, text } = moved({
      'wrangler.toml': 'name = "openai-workers"\nmain = "src/index.ts"\n',
    });
    expect(text).toContain('"url": "https://api.openai.com/v1"');
    expect(text).toContain('env:OPENAI_API_KEY');
    for (const words of [
      'OPENAI_API_KEY is stored at Cloudflare',
      'let anyone spend this key. Set ACCESS_KEYS=..., or ALLOWED_ORIGINS=',
      '"name": "openai-workers"',
      'npx wrangler secret put OPENAI_API_KEY',
    ])
      expect(stdout).toContain(words);
    // It is no emulator that answers now: without the key the start is refused.
    const { status, stdout: checked } = sluice(['check', '--config', out]);
    expect([status, checked]).toEqual([1, expect.stringContaining('the environment has no OPENAI_API_KEY')]);
  });

  test('chatgptProxyAPI: the address in its script', async () => {
    const { out, stdout } = moved({
      'cf_worker.js': `const TELEGRAPH_URL = '${web.url}';\naddEventListener('fetch', () => {});\n`,
    });
    expect(stdout).toContain('callers use their own keys');
    expect(stdout).toContain('paste dist/sluice.worker.js over the script');
    expect(await served(out, '/v1/chat/completions', { model: 'gpt-3.5-turbo', key: 'sk-own' })).toContain(
      'a word from here',
    );
  });
});

describe('what cannot be imported is said', () => {
  test.each([
    ['a folder that is not there', () => '/nowhere/older', 'there is no such folder'],
    ['one with nothing known in it', () => folderOf({ 'readme.txt': 'hello' }), 'no file of PandoraToV1Api'],
    ['a broken file', () => folderOf({ 'wrangler.toml': '[vars\nx' }), 'could not be read'],
  ])('%s', (_, folder, words) => {
    const { status, stderr } = sluice(['import', folder(), '--out', join(tmpdir(), 'never.json')]);
    expect(status).toBe(1);
    expect(stderr).toContain(words);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  test('a place that cannot be written to', () => {
    const folder = folderOf({ 'wrangler.toml': '[vars]\nBASE_URL = "http://p:1"\n' });
    const { status, stderr } = sluice(['import', folder, '--out', join(folder, 'no', 'sluice.json')]);
    expect([status, stderr]).toEqual([1, expect.stringContaining('could not be written (ENOENT)')]);
  });

  test('a settings file that is there is not written over', () => {
    const folder = folderOf({ 'wrangler.toml': '[vars]\nBASE_URL = "http://p:1"\n', 'sluice.json': '{}' });
    const { status, stderr } = sluice(['import', folder, '--out', join(folder, 'sluice.json')]);
    expect([status, stderr]).toEqual([1, expect.stringContaining('already exists')]);
    expect(readFileSync(join(folder, 'sluice.json'), 'utf8')).toBe('{}');
  });
});
