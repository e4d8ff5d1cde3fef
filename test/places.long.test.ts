import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { freePort } from '../bench/processes.ts';
import { diagnose } from '../src/doctor/diagnose.ts';
import { type Running, startScriptInWorkerd } from './gateways.ts';
import { startProcess } from './process.ts';

const temporary = (name: string) => mkdtempSync(join(tmpdir(), `sluice-${name}-`));

beforeAll(() => {
  execFileSync(process.execPath, ['scripts/build.ts'], { stdio: 'ignore' });
}, 60_000);

/** Starts a command on a port. Resolves when it answers. */
async function startCommand(args: readonly string[]): Promise<Running> {
  const port = await freePort();
  const child = spawn(process.execPath, [...args, '--port', String(port), '--ip', '127.0.0.1'], {
    env: { ...process.env, CI: 'true', WRANGLER_SEND_METRICS: 'false', NO_COLOR: '1' },
    stdio: 'ignore',
    detached: true,
  });
  const url = `http://127.0.0.1:${port}`;
  // Ends wrangler and the runtime that it started.
  const stop = async (): Promise<void> => {
    const gone = new Promise((resolve) => child.once('exit', resolve));
    if (child.pid) process.kill(-child.pid, 'SIGTERM');
    await gone;
  };
  try {
    await vi.waitFor(async () => expect((await fetch(`${url}/livez`)).status).toBe(200), {
      timeout: 60_000,
      interval: 100,
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, stop };
}

const wrangler = 'node_modules/wrangler/bin/wrangler.js';

/** The package as a user installs it: packed, into an empty folder, without dev dependencies. */
async function startPackage(): Promise<Running> {
  const folder = temporary('package');
  const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], {
    encoding: 'utf8',
  });
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
  execFileSync('npm', ['install', '--no-audit', '--no-fund', `./${packed.trim().split('\n').at(-1)}`], {
    cwd: folder,
    stdio: 'ignore',
  });
  const command = join(folder, 'node_modules/sluice/bin/sluice.js');
  expect(execFileSync(process.execPath, [command, '--version'], { encoding: 'utf8' })).toMatch(
    /^\d+\.\d+\.\d+\n$/,
  );
  expect(JSON.parse(execFileSync(process.execPath, [command, 'schema'], { encoding: 'utf8' })).type).toBe(
    'object',
  );
  const { url, child, exited } = await startProcess({ WORKERS: '2' }, [command]);
  return {
    url,
    stop: async () => {
      child.kill();
      await exited;
    },
  };
}

const places: readonly (readonly [string, () => Promise<Running>])[] = [
  [
    'Node, from the sources',
    async () => {
      const { url, child } = await startProcess({});
      return { url, stop: async () => void child.kill() };
    },
  ],
  ['Node, from the package', startPackage],
  [
    'the single file in a plain workerd',
    () => startScriptInWorkerd(readFileSync('dist/sluice.worker.js', 'utf8'), {}),
  ],
  ['wrangler dev', () => startCommand([wrangler, 'dev', '--persist-to', temporary('wrangler')])],
  [
    'Cloudflare Pages',
    () =>
      startCommand([
        wrangler,
        'pages',
        'dev',
        'dist/cloudflare-pages',
        '--compatibility-date=2026-10-01',
        '--compatibility-flag=enable_request_signal',
        '--persist-to',
        temporary('pages'),
      ]),
  ],
];

describe.each(places)('on %s', (_, start) => {
  let gateway: Running;
  let client: OpenAI;
  beforeAll(async () => {
    gateway = await start();
    client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'sk-own', maxRetries: 0 });
  }, 120_000);
  afterAll(() => gateway?.stop());

  const said = (content: string) => [{ role: 'user' as const, content }];

  test('it relays, streamed and whole', async () => {
    let text = '';
    const stream = await client.chat.completions.create({
      model: 'gpt-4o-mini',
      messages: said('a'),
      stream: true,
    });
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
    expect(text).toBe('You said: a');
    const whole = await client.chat.completions.create({ model: 'gpt-4o-mini', messages: said('b') });
    expect(whole.choices[0]?.message.content).toBe('You said: b');
    await expect(
      client.chat.completions.create({ model: 'error-429', messages: said('c') }),
    ).rejects.toMatchObject({ status: 429 });
  });

  test('it converts, streamed and whole', async () => {
    let text = '';
    const stream = await client.chat.completions.create({
      model: 'gpt-4-s',
      messages: said('/code'),
      stream: true,
    });
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
    expect(text).toContain('```python');
    const whole = await client.chat.completions.create({ model: 'gpt-4-s', messages: said('hi') });
    expect(whole.choices[0]?.message.content).toBe('You said: hi');
    const { data } = await client.images.generate({
      model: 'gpt-4-s',
      prompt: '/draw 1',
      response_format: 'b64_json',
    });
    expect(data?.[0]?.b64_json).toMatch(/^iVBOR/);
  });

  test('it lists models, lets pages in, and has the pages', async () => {
    const { data } = await client.models.list();
    expect(data.length).toBeGreaterThan(5);
    const preflight = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://chat.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization',
      },
    });
    expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([204, '*']);
    for (const path of ['/', '/balance', '/play', '/doctor'])
      expect(await fetch(gateway.url + path).then((answer) => answer.text())).toContain('<title>sluice');
  });

  test('its doctor finds nothing bad', async () => {
    const codes: string[] = [];
    for await (const finding of diagnose({
      base: `${gateway.url}/v1`,
      headers: {},
      origin: 'https://chat.example',
      pageIsSecure: false,
      silenceSeconds: 0,
      fetch,
    }))
      codes.push(`${finding.level} ${finding.code}`);
    expect(codes).toEqual([
      'good reached',
      'good keyNotNeeded',
      'good models',
      'good preflight',
      'good streams',
      'good links',
    ]);
  });
});
