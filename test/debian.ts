import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const tries = 8;
const pauseMs = 10_000;

/**
 * A program that Debian has, installed where we may; null where there is none and we may not. Several test files may want one at the same
 * time, and apt lets only one of them: the others try again.
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
      // Somebody else is at it, or it cannot be had: the next try tells.
    }
  }
  return existsSync(path) ? path : null;
}
