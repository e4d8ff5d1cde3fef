import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { debian } from './debian.ts';

export type Redis = {
  readonly url: string;
  /** Stops it without closing a connection: it accepts commands and never answers. */
  pause(): void;
  resume(): void;
  stop(): Promise<void>;
};

/** A real Redis on a free port, or on `port`. Null if it is not installed. */
export async function startRedis(port?: number): Promise<Redis | null> {
  const program = debian('/usr/bin/redis-server', 'redis-server');
  if (!program) return null;
  const chosen = port ?? (await freePort());
  const child = spawn(
    program,
    ['--port', String(chosen), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
    {
      cwd: mkdtempSync(join(tmpdir(), 'sluice-redis-')),
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  await ready(child);
  return {
    url: `redis://127.0.0.1:${chosen}`,
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async stop() {
      child.kill('SIGCONT');
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill();
      await gone;
    },
  };
}

function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`Redis ended with ${code}`)));
    child.stdout?.on('data', (chunk: Buffer) => {
      if (chunk.includes('Ready to accept connections')) resolve();
    });
  });
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
