import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accessKey, type Peer } from './peer.ts';
import { childrenOf, freePort, installDebian, listening } from './processes.ts';

/** Starts sluice from its sources, in one process or several. */
export async function startSluice(
  workers: number,
  name: string,
  env: Readonly<Record<string, string>>,
): Promise<Peer> {
  const port = await freePort();
  const began = performance.now();
  const child = spawn(process.execPath, ['src/main.ts'], {
    env: {
      PATH: process.env.PATH ?? '',
      PORT: String(port),
      ...env,
      WORKERS: String(workers),
      MAX_CONCURRENT: '100000',
      METRICS_KEY: 'bench-metrics-key-0123',
      DATA_DIR: mkdtempSync(join(tmpdir(), 'sluice-bench-')),
    },
    // The access log is on. It goes to /dev/null.
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  await listening(port);
  const startMs = performance.now() - began;
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  const pids = () => (workers === 1 ? [child.pid ?? 0] : childrenOf(child.pid ?? 0));
  return {
    name,
    version: `${version}, Node ${process.version}`,
    port,
    startMs,
    headers: { authorization: `Bearer ${accessKey}` },
    pids,
    stop() {
      const all = pids();
      child.kill('SIGKILL');
      for (const pid of all) if (pid !== child.pid) process.kill(pid, 'SIGKILL');
    },
  };
}

/** Starts nginx as a relay. */
export async function startNginx(upstream: number): Promise<Peer> {
  const program = '/usr/sbin/nginx';
  if (!existsSync(program)) installDebian('nginx-light');
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'sluice-nginx-'));
  writeFileSync(
    join(folder, 'nginx.conf'),
    `worker_processes 1; worker_rlimit_nofile 60000; daemon off; pid ${folder}/pid; error_log ${folder}/error.log;
events { worker_connections 50000; }
http { access_log ${folder}/access.log; keepalive_requests 10000000; keepalive_timeout 300s;
upstream mock { server 127.0.0.1:${upstream}; keepalive 512; keepalive_requests 10000000; }
server { listen 127.0.0.1:${port} backlog=4096;
location / { proxy_pass http://mock; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; proxy_request_buffering off; } } }`,
  );
  const child = spawn(program, ['-c', join(folder, 'nginx.conf')], { stdio: 'ignore' });
  await listening(port);
  return {
    name: 'nginx proxy_pass, unbuffered',
    version: spawnSync(program, ['-v'], { encoding: 'utf8' }).stderr.trim().split('/').at(-1) ?? '',
    port,
    headers: {},
    pids: () => childrenOf(child.pid ?? 0),
    stop: () => void child.kill('SIGTERM'),
  };
}

/** Starts a script of this folder that takes the port of the upstream and its own. */
export async function startFile(upstream: number, file: string, name: string): Promise<Peer> {
  const port = await freePort();
  const child = spawn(process.execPath, [file, String(upstream), String(port)], { stdio: 'ignore' });
  await listening(port);
  return {
    name,
    version: `Node ${process.version}`,
    port,
    headers: { authorization: `Bearer ${accessKey}` },
    pids: () => [child.pid ?? 0],
    stop: () => void child.kill('SIGKILL'),
  };
}

/** Starts Portkey's gateway. It is installed into a temporary folder at first. */
export async function startPortkey(upstream: number): Promise<Peer> {
  const folder = join(tmpdir(), 'sluice-bench-portkey');
  if (!existsSync(join(folder, 'node_modules/@portkey-ai/gateway'))) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{"private":true}');
    execFileSync(
      'npm',
      ['install', '--no-audit', '--no-fund', '--ignore-scripts', '@portkey-ai/gateway@1.15.2'],
      {
        cwd: folder,
        stdio: 'ignore',
      },
    );
  }
  const home = join(folder, 'node_modules/@portkey-ai/gateway');
  const port = await freePort();
  const child = spawn(
    process.execPath,
    [join(home, 'build/start-server.js'), `--port=${port}`, '--headless'],
    {
      cwd: home,
      env: { PATH: process.env.PATH ?? '', NODE_ENV: 'production' },
      stdio: 'ignore',
    },
  );
  await listening(port);
  const { version } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as { version: string };
  return {
    name: 'Portkey',
    version: `${version}, Node ${process.version}`,
    port,
    headers: {
      authorization: 'Bearer sk-bench',
      'x-portkey-provider': 'openai',
      'x-portkey-custom-host': `http://127.0.0.1:${upstream}/v1`,
    },
    pids: () => [child.pid ?? 0],
    stop: () => void child.kill('SIGKILL'),
  };
}
