import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { freePort } from '../bench/processes.ts';
import { diagnose } from '../src/doctor/diagnose.ts';
import { debian } from './debian.ts';
import { type Running, startOnNode } from './gateways.ts';

const nginx = debian('/usr/sbin/nginx', 'nginx-light');

/** A real nginx in front of a gateway, with the site of `deploy/nginx.conf` after `change`. */
async function startNginx(
  gateway: string,
  change: (site: string) => string = (site) => site,
): Promise<Running> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'sluice-nginx-'));
  const site = readFileSync('deploy/nginx.conf', 'utf8')
    .replace('127.0.0.1:8080', new URL(gateway).host)
    .replace('listen 80;', `listen 127.0.0.1:${port};`);
  writeFileSync(join(folder, 'site.conf'), change(site));
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; pid ${folder}/pid; error_log ${folder}/error.log; events {} http { access_log off; client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; include ${folder}/site.conf; }`,
  );
  execFileSync(nginx as string, ['-t', '-q', '-c', join(folder, 'nginx.conf')], { stdio: 'ignore' });
  const child = spawn(nginx as string, ['-c', join(folder, 'nginx.conf')], { stdio: 'ignore' });
  const url = `http://127.0.0.1:${port}`;
  await expect
    .poll(
      () =>
        fetch(`${url}/livez`).then(
          (answer) => answer.status,
          () => 0,
        ),
      { timeout: 60_000 },
    )
    .toBe(200);
  return { url, stop: async () => void child.kill('SIGQUIT') };
}

/** What makes nginx buffer a stream: its own buffers with HTTP/1.0 to us, or compression. */
const collecting: readonly (readonly [string, (site: string) => string])[] = [
  [
    'buffers it',
    (site) =>
      site
        .replace('proxy_buffering off;', 'proxy_buffering on; proxy_ignore_headers X-Accel-Buffering;')
        .replace('proxy_http_version 1.1;', '')
        .replace('proxy_set_header Connection $sluice_connection;', ''),
  ],
  [
    'compresses it',
    (site) =>
      site
        .replace('proxy_buffering off;', 'proxy_buffering on;')
        .replace(
          'gzip off;',
          'gzip on; gzip_types text/event-stream; gzip_proxied any; proxy_ignore_headers X-Accel-Buffering;',
        ),
  ],
];

describe.skipIf(nginx === null)('behind a real nginx', () => {
  const sockets = new WebSocketServer({ noServer: true });
  const upstream = createServer((_, response) => response.end('{"object":"list","data":[{"id":"m"}]}'));
  let gateway: Running;
  beforeAll(async () => {
    upstream.on('upgrade', (request, socket, head) =>
      sockets.handleUpgrade(request, socket, head, (open) =>
        open.on('message', (data) => open.send(`echo ${data}`)),
      ),
    );
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
    gateway = await startOnNode({
      OPENAI_BASE_URL: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/v1`,
    });
  });
  afterAll(async () => {
    await gateway.stop();
    sockets.close();
    upstream.close();
  });

  const doctor = async (url: string, language = 'en') => {
    const child = spawn(process.execPath, ['bin/sluice.js', 'doctor', url, '--key', 'sk-own'], {
      env: { PATH: process.env.PATH ?? '', LANG: language },
    });
    let said = '';
    child.stdout.on('data', (data) => (said += data));
    const code = await new Promise((resolve) => child.once('exit', resolve));
    return { code, said };
  };

  test('the site in deploy/ lets streams, links and sockets through', async () => {
    const proxy = await startNginx(gateway.url);
    const { code, said } = await doctor(proxy.url);
    expect(said).toContain('Streams arrive as they are sent: 12 chunks, 100 ms apart.');
    expect(said).toContain(`Links to pictures and files begin with ${proxy.url}.`);
    expect(code).toBe(0);
    const socket = new WebSocket(`${proxy.url.replace('http', 'ws')}/v1/realtime?model=m`, {
      headers: { authorization: 'Bearer k' },
    });
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    socket.send('hello');
    expect(String(await new Promise((resolve) => socket.once('message', resolve)))).toBe('echo hello');
    socket.close();
    await proxy.stop();
  });

  test.each(collecting)('the doctor tells where nginx %s, and which line ends that', async (_, change) => {
    const proxy = await startNginx(gateway.url, change);
    const { code, said } = await doctor(proxy.url);
    expect(said).toContain('✗ The stream is buffered on its way (by nginx');
    expect(said).toContain('→ proxy_buffering off;');
    expect(code).toBe(1);
    expect((await doctor(proxy.url, 'zh_CN.UTF-8')).said).toContain('流式响应在途中被缓冲');
    await proxy.stop();
  });

  test('… and where nginx cuts a silent stream', async () => {
    const proxy = await startNginx(gateway.url, (site) =>
      site.replace('proxy_read_timeout 600s;', 'proxy_read_timeout 1s;'),
    );
    const found: string[] = [];
    for await (const { level, code } of diagnose({
      base: `${proxy.url}/v1`,
      headers: { authorization: 'Bearer sk-own' },
      origin: null,
      pageIsSecure: false,
      silenceSeconds: 3,
      fetch,
    }))
      found.push(`${level} ${code}`);
    expect(found).toContain('bad silenceCut');
    expect(found).toContain('good streams');
    await proxy.stop();
  });

  test('… and where links lead elsewhere, because nginx does not say how it was reached', async () => {
    const proxy = await startNginx(gateway.url, (site) =>
      site.replaceAll(/proxy_set_header (X-Forwarded-\w+|Host) .*;/g, ''),
    );
    const { said } = await doctor(proxy.url);
    expect(said).toContain(`PUBLIC_URL=${proxy.url}`);
    await proxy.stop();
  });
});

const caddy = debian('/usr/bin/caddy', 'caddy');

test.skipIf(caddy === null)(
  'the Caddyfile in deploy/ lets streams and links through',
  async () => {
    const gateway = await startOnNode({});
    const port = await freePort();
    const folder = mkdtempSync(join(tmpdir(), 'sluice-caddy-'));
    const site = readFileSync('deploy/Caddyfile', 'utf8')
      .replace('chat.example.com', `http://127.0.0.1:${port}`)
      .replace('127.0.0.1:8080', new URL(gateway.url).host);
    writeFileSync(join(folder, 'Caddyfile'), `{\n\tadmin off\n\tauto_https off\n}\n${site}`);
    const child = spawn(caddy as string, ['run', '--config', join(folder, 'Caddyfile')], {
      stdio: 'ignore',
      env: { PATH: process.env.PATH ?? '', HOME: folder },
    });
    const url = `http://127.0.0.1:${port}`;
    await vi.waitFor(async () => expect((await fetch(`${url}/livez`)).status).toBe(200), { timeout: 60_000 });
    const found: string[] = [];
    for await (const { level, code } of diagnose({
      base: `${url}/v1`,
      headers: {},
      origin: 'https://chat.example',
      pageIsSecure: false,
      silenceSeconds: 0,
      fetch,
    }))
      found.push(`${level} ${code}`);
    expect(found).toEqual([
      'good reached',
      'good keyNotNeeded',
      'good models',
      'good preflight',
      'good streams',
      'good links',
    ]);
    child.kill();
    await gateway.stop();
  },
  30_000,
);

describe('the doctor in the terminal', () => {
  const run = (...args: string[]) => {
    try {
      return execFileSync(process.execPath, ['bin/sluice.js', 'doctor', ...args], {
        encoding: 'utf8',
        env: { PATH: process.env.PATH ?? '' },
      });
    } catch (error) {
      return (error as { stdout: string }).stdout;
    }
  };

  test('says that nothing is there, and what to look at', async () => {
    const port = await freePort();
    const said = run(`http://127.0.0.1:${port}`);
    expect(said).toContain('ECONNREFUSED');
    expect(said).toContain('→ Check that the gateway is running');
  });

  test('says which key is wanted, and which origins are let in', async () => {
    const gateway = await startOnNode({
      ACCESS_KEYS: 'access-key-0123456789',
      ALLOWED_ORIGINS: 'https://mine.example',
    });
    const ask = (...args: string[]) =>
      new Promise<string>((resolve) => {
        const child = spawn(process.execPath, ['bin/sluice.js', 'doctor', gateway.url, ...args], {
          env: { PATH: process.env.PATH ?? '' },
        });
        let said = '';
        child.stdout.on('data', (data) => (said += data));
        child.once('exit', () => resolve(said));
      });
    expect(await ask('--key', 'wrong-key-0123456789')).toContain('✗ The key is refused.');
    const said = await ask('--key', 'access-key-0123456789', '--origin', 'https://mine.example');
    expect(said).toContain('✓ Web pages of https://mine.example may call.');
    const other = await ask('--key', 'access-key-0123456789', '--origin', 'https://other.example');
    expect(other).toContain('→ Add the origin to ALLOWED_ORIGINS');
    expect(other).toContain('→ Set ALLOWED_ORIGINS=https://other.example');
    await gateway.stop();
  });

  const key = 'access-key-0123456789';
  const server = { OPENAI_API_KEY: 'sk-server-0123456789', OPENAI_BASE_URL: '' };
  test.each<[string, Record<string, string>, readonly string[]]>([
    ['nothing at all', {}, []],
    ['your key, for you alone', server, []],
    ['your key for a team', { ...server, ACCESS_KEYS: key }, ['--key', key]],
    ['your key for a team, tested without a key', { ...server, ACCESS_KEYS: key }, []],
    [
      'your key for a web page',
      { ...server, ALLOWED_ORIGINS: 'https://chat.example' },
      ['--origin', 'https://chat.example'],
    ],
    [
      'your key for a web page, tested without it',
      { ...server, ALLOWED_ORIGINS: 'https://chat.example' },
      [],
    ],
    ['keys of the callers', {}, ['--key', 'sk-own']],
    ['a public address', { PUBLIC_URL: 'https://gate.example' }, []],
    ['a prefix', { API_PREFIX: 'abc' }, []],
  ])('finds nothing wrong with %s', async (_, env, args) => {
    const upstream = await startOnNode({});
    const gateway = await startOnNode({
      ...env,
      ...('OPENAI_BASE_URL' in env ? { OPENAI_BASE_URL: `${upstream.url}/v1` } : {}),
    });
    const url = `${gateway.url}${env.API_PREFIX ? `/${env.API_PREFIX}` : ''}`;
    const child = spawn(process.execPath, ['bin/sluice.js', 'doctor', url, ...args], {
      env: { PATH: process.env.PATH ?? '' },
    });
    let output = '';
    child.stdout.on('data', (data) => (output += data));
    const code = await new Promise((resolve) => child.once('exit', resolve));
    expect(output).not.toMatch(/^[✗!]/m);
    expect(output).not.toContain('chat.example may not');
    expect(code).toBe(0);
    await gateway.stop();
    await upstream.stop();
  });

  test('a reader that closes the pipe is no error', () => {
    const command = `${process.execPath} bin/sluice.js --help | head -1`;
    expect(execFileSync('sh', ['-c', `{ ${command}; } 2>&1`], { encoding: 'utf8' })).toBe(
      'sluice: a gateway for programs that use the OpenAI API\n',
    );
  });
});
