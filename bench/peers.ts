import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import workerd from 'workerd';
import { bundle } from '../test/gateways.ts';
import { childrenOf, freePort, installDebian, listening } from './processes.ts';

/** A gateway under test: where it listens, the processes whose CPU counts, and what a request to it must carry beyond the rest. */
export type Peer = {
  readonly name: string;
  readonly version: string;
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds from its start until it took a connection. */
  readonly startMs?: number;
  pids(): readonly number[];
  stop(): void;
};

export type Start = (upstream: number) => Promise<Peer>;

/** Gateways that turn conversations into completions. */
export const converters: readonly string[] = ['sluice-convert', 'sluice-convert-workerd', 'plain', 'p2vapi'];

/** Every gateway that is compared, by the name it is chosen with. */
export const peers: Readonly<Record<string, Start>> = {
  nginx: startNginx,
  sluice: (upstream) => startSluice(1, 'sluice on Node', withKey(upstream)),
  'sluice-2': (upstream) => startSluice(2, 'sluice, 2 processes', withKey(upstream)),
  'sluice-convert': (upstream) =>
    startSluice(1, 'sluice, converting', {
      BASE_URL: `http://127.0.0.1:${upstream}`,
      PROXY_API_PREFIX: 'p',
    }),
  'sluice-convert-workerd': async (upstream) =>
    startWorkerd(upstream, await bundle(), 'sluice in workerd, converting', [
      `(name = "BASE_URL", text = "http://127.0.0.1:${upstream}")`,
      '(name = "PROXY_API_PREFIX", text = "p")',
    ]),
  plain: startPlain,
  p2vapi: startP2vapi,
  portkey: startPortkey,
  workerd: (upstream) => startWorkerd(upstream, passthrough, 'workerd, ten lines', []),
  'sluice-workerd': (upstream) => startSluiceInWorkerd(upstream, 'sluice in workerd', {}),
  'sluice-workerd-unwatched': (upstream) =>
    startSluiceInWorkerd(upstream, 'sluice in workerd, streams unwatched', {
      KEEPALIVE_SECONDS: '0',
      IDLE_TIMEOUT: '0',
    }),
};

const accessKey = 'bench-access-key-0123';

const withKey = (upstream: number) => ({
  OPENAI_BASE_URL: `http://127.0.0.1:${upstream}/v1`,
  OPENAI_API_KEY: 'sk-bench-server-key',
  ACCESS_KEYS: accessKey,
});

async function startSluice(
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
    // The access log is written, into nothing.
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

async function startNginx(upstream: number): Promise<Peer> {
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

async function startPlain(upstream: number): Promise<Peer> {
  const port = await freePort();
  const child = spawn(process.execPath, ['bench/plain.ts', String(upstream), String(port)], {
    stdio: 'ignore',
  });
  await listening(port);
  return {
    name: 'JSON.parse of each event',
    version: `Node ${process.version}`,
    port,
    headers: {},
    pids: () => [child.pid ?? 0],
    stop: () => void child.kill('SIGKILL'),
  };
}

/** p2vapi_worker is on no registry: `P2VAPI` names its `src/worker.js`. */
async function startP2vapi(upstream: number): Promise<Peer> {
  const file = process.env.P2VAPI;
  if (!file) throw new Error('P2VAPI must name the src/worker.js of p2vapi_worker');
  return startWorkerd(upstream, readFileSync(file, 'utf8'), 'p2vapi_worker', [
    `(name = "BASE_URL", text = "http://127.0.0.1:${upstream}")`,
    '(name = "PROXY_API_PREFIX", text = "p")',
  ]);
}

async function startPortkey(upstream: number): Promise<Peer> {
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

/** Node gives the package's whole exports where a bundler gives its default. */
const program: string = typeof workerd === 'string' ? workerd : (workerd as { default: string }).default;

/** The least a Worker can do: another host, and the body handed on. */
const passthrough = `export default { fetch(request, env) {
  const url = new URL(request.url);
  return fetch(new Request(env.UPSTREAM + url.pathname + url.search, request));
} };`;

async function startWorkerd(
  upstream: number,
  script: string,
  name: string,
  bindings: readonly string[],
): Promise<Peer> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-workerd-'));
  const port = await freePort();
  writeFileSync(join(folder, 'worker.js'), script);
  const all = [...bindings, `(name = "UPSTREAM", text = "http://127.0.0.1:${upstream}")`];
  writeFileSync(
    join(folder, 'config.capnp'),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [ (name = "main", worker = .worker), (name = "internet", network = (allow = ["public", "private"])) ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")]
);
const worker :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = "2026-10-01",
  compatibilityFlags = ["enable_request_signal"],
  bindings = [${all.join(', ')}]
);
`,
  );
  const child = spawn(program, ['serve', 'config.capnp'], { cwd: folder, stdio: 'ignore' });
  await listening(port);
  return {
    name,
    version: spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout.trim().split(' ').at(-1) ?? '',
    port,
    headers: { authorization: `Bearer ${accessKey}` },
    pids: () => [child.pid ?? 0],
    stop: () => void child.kill('SIGKILL'),
  };
}

async function startSluiceInWorkerd(
  upstream: number,
  name: string,
  more: Readonly<Record<string, string>>,
): Promise<Peer> {
  const env = { ...withKey(upstream), ...more };
  const bindings = Object.entries(env).map(([key, text]) => `(name = "${key}", text = "${text}")`);
  return startWorkerd(upstream, await bundle(), name, bindings);
}
