import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';

/** CPU milliseconds that processes have used, by the operating system's accounting. */
export function cpuMs(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    // In nanoseconds, finer than the ticks of /proc/pid/stat; one line for each thread.
    const threads = execThreads(pid);
    return (
      sum + threads.reduce((all, path) => all + Number(readFileSync(path, 'utf8').split(' ')[0]) / 1e6, 0)
    );
  }, 0);
}

function execThreads(pid: number): string[] {
  return execFileSync('sh', ['-c', `ls -d /proc/${pid}/task/*/schedstat`], { encoding: 'utf8' })
    .trim()
    .split('\n');
}

/** Resident memory of processes in bytes. */
export function rss(pids: readonly number[]): number {
  return pids.reduce(
    (sum, pid) =>
      sum + Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024,
    0,
  );
}

/** The processes that a process started. */
export function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter(Boolean)
    .map(Number);
}

/** Installs a Debian package, if we have the right to. */
export function installDebian(name: string): void {
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', name], {
    stdio: 'ignore',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
}

/** A free port. */
export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/** Waits until something listens. */
export async function listening(port: number): Promise<void> {
  for (let i = 0; i < 3000; i++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect({ port, host: '127.0.0.1' }, () => {
        socket.destroy();
        resolve(true);
      }).on('error', () => resolve(false));
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`nothing listens on port ${port}`);
}
