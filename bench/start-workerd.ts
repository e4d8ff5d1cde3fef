import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import workerd from 'workerd';
import { bundleWorker } from '../scripts/bundle-worker.ts';
import { accessKey, type Peer, withKey } from './peer.ts';
import { freePort, listening } from './processes.ts';

/** Node gives the whole exports of the package. A bundler gives its default export. */
const program: string = typeof workerd === 'string' ? workerd : (workerd as { default: string }).default;

/** Starts a script in a plain workerd. The binding UPSTREAM has the address of the upstream. */
export async function startScript(
  upstream: number,
  script: string,
  name: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Peer> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-workerd-'));
  const port = await freePort();
  const bindings = Object.entries({ ...env, UPSTREAM: `http://127.0.0.1:${upstream}` }).map(
    ([key, text]) => `(name = "${key}", text = "${text}")`,
  );
  writeFileSync(join(folder, 'worker.js'), script);
  writeFileSync(
    join(folder, 'config.capnp'),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "internet", network = (allow = ["public", "private"]))
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")]
);
const worker :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = "2026-10-01",
  compatibilityFlags = ["enable_request_signal"],
  bindings = [${bindings.join(', ')}]
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

/** Starts sluice's Worker as a relay. */
export async function startSluiceInWorkerd(
  upstream: number,
  name: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Peer> {
  return startScript(upstream, await bundleWorker(), name, { ...withKey(upstream), ...env });
}

/** Starts sluice's Worker as a converter. */
export async function startConverterInWorkerd(upstream: number): Promise<Peer> {
  return startScript(upstream, await bundleWorker(), 'sluice in workerd, converting', {
    BASE_URL: `http://127.0.0.1:${upstream}`,
    PROXY_API_PREFIX: 'p',
  });
}

/** p2vapi_worker is on no registry: `P2VAPI` names its `src/worker.js`. */
export async function startP2vapi(upstream: number): Promise<Peer> {
  const file = process.env.P2VAPI;
  if (!file) throw new Error('P2VAPI must name the src/worker.js of p2vapi_worker');
  return startScript(upstream, readFileSync(file, 'utf8'), 'p2vapi_worker', {
    BASE_URL: `http://127.0.0.1:${upstream}`,
    PROXY_API_PREFIX: 'p',
  });
}
