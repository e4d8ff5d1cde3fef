import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const tries = 8;
const pauseMs = 10_000;

/**
 * The path of a Debian program, installed if we have the right to. Null if there is none. Only one
 * process can use apt at a time, so a failed installation is tried again.
 */
export function debian(path: string, packageName: string): string | null {
  for (let i = 0; i < tries && !existsSync(path); i++) {
    if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return null;
    if (i > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs);
    const quietly = { stdio: 'ignore', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } } as const;
    try {
      execFileSync('apt-get', ['update', '-qq'], quietly);
      execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', packageName], quietly);
    } catch {
      // Another process holds the lock, or there is no network. The next try shows which.
    }
  }
  return existsSync(path) ? path : null;
}
