import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** The gateway as a process, as `npm start` runs it. */
export type Process = {
  readonly url: string;
  readonly child: ChildProcess;
  /** Milliseconds until it listens. */
  readonly startMs: number;
  stdout(): string;
  stderr(): string;
  /** Its resident memory in bytes. */
  rss(): number;
  exited: Promise<number | null>;
};

/** Starts `src/main.ts` in a clean environment. Resolves when it listens. */
export async function startProcess(
  env: Record<string, string>,
  args: readonly string[] = ['src/main.ts'],
): Promise<Process> {
  const started = performance.now();
  const child = spawn(process.execPath, args, {
    env: {
      PATH: process.env.PATH ?? '',
      PORT: '0',
      DATA_DIR: mkdtempSync(join(tmpdir(), 'sluice-data-')),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk;
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const url = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      stdout += `${line}\n`;
      const match = /^sluice listening on (http:\/\/\S+)$/.exec(line);
      if (match?.[1]) resolve(match[1]);
    });
    void exited.then((code) => reject(new Error(`it ended with ${code}: ${stderr}`)));
  });
  return {
    url,
    child,
    startMs: performance.now() - started,
    stdout: () => stdout,
    stderr: () => stderr,
    rss: () =>
      Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) * 1024,
    exited,
  };
}
