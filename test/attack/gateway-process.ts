import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A gateway in a process of its own: an attack on its event loop does not stop the attacker. */
export type GatewayProcess = {
  readonly url: string;
  /** Its memory in bytes. */
  rss(): number;
  /** Everything it wrote. */
  log(): string;
  stop(): Promise<void>;
};

/** Starts a gateway on a free port, with these environment names. */
export async function startProcess(env: Record<string, string>): Promise<GatewayProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-attack-'));
  const child = spawn(process.execPath, ['src/main.ts'], {
    env: { PATH: process.env.PATH ?? '', PORT: '0', DATA_DIR: folder, ...env },
  });
  let text = '';
  child.stderr.on('data', (data) => {
    text += data;
  });
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (data) => {
      text += data;
      const match = /sluice listening on (\S+)/.exec(text);
      if (match) resolve(match[1] as string);
    });
    child.once('exit', () => reject(new Error(`the gateway did not start: ${text}`)));
  });
  return {
    url,
    rss: () => Number(/VmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) * 1024,
    log: () => text,
    async stop() {
      await ended(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}
