import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { inject } from 'vitest';
import workerd from 'workerd';
import { serve } from '../src/node.ts';
import { loadSettings } from '../src/settings/load.ts';

/** A gateway as a client sees it. */
export type Running = { readonly url: string; stop(): Promise<void> };

/** The runtimes that every outside-in test runs against. `start` takes environment variables. */
export const runtimes: readonly { name: string; start(env: Record<string, string>): Promise<Running> }[] = [
  { name: 'node', start: startOnNode },
  { name: 'workerd', start: startInWorkerd },
];

const quiet = { LOG_LEVEL: 'error', DATA_DIR: mkdtempSync(join(tmpdir(), 'sluice-data-')) };

/** The gateway as Node runs it, on a free port. */
export async function startOnNode(env: Record<string, string>): Promise<Running> {
  const loaded = loadSettings({ env: { ...quiet, PORT: '0', ...env }, platform: 'node' });
  if (!loaded.ok) throw new Error(loaded.errors.join('\n'));
  return serve(loaded.settings, loaded.secrets);
}

/** The Worker's bundle in a plain workerd, on a free port. */
export async function startInWorkerd(env: Record<string, string>): Promise<Running> {
  return startScriptInWorkerd(await bundle(), env);
}

/** Any Worker script in a plain workerd, on a free port. */
export async function startScriptInWorkerd(script: string, env: Record<string, string>): Promise<Running> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-workerd-'));
  await writeFile(join(folder, 'worker.js'), script);
  await writeFile(join(folder, 'config.capnp'), workerdConfig({ ...quiet, ...env }));
  const child = spawn(workerd, ['serve', 'config.capnp', '--control-fd=3'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  // Not inherited: a workerd that outlives a failed test must not keep the test run open.
  child.stdout?.resume();
  child.stderr?.on('data', (chunk: Buffer) => process.stderr.write(chunk));
  process.once('exit', () => child.kill());
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const port = await listening(child.stdio[3] as Readable);
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      child.kill();
      await exited;
      await rm(folder, { recursive: true });
    },
  };
}

/** Waits until workerd reports its port. */
async function listening(control: Readable): Promise<number> {
  for await (const line of createInterface(control)) {
    const message = JSON.parse(line) as { event: string; port?: number };
    if (message.event === 'listen' && message.port) return message.port;
  }
  throw new Error('workerd ended before it listened');
}

function workerdConfig(env: Record<string, string>): string {
  const bindings = Object.entries(env).map(
    ([name, value]) => `(name = "${name}", text = ${JSON.stringify(value)})`,
  );
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "sluice", worker = .worker),
    (name = "internet", network = (allow = ["public", "private"]))
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "sluice")]
);
const worker :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = "2026-10-01",
  compatibilityFlags = ["enable_request_signal"],
  bindings = [${bindings.join(', ')}]
);
`;
}

/** The Worker in one file. `test/setup.ts` builds it once for all test files. */
export function bundle(): Promise<string> {
  return readFile(inject('workerFile'), 'utf8');
}
