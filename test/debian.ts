import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** A program that Debian has, installed where we may; null where there is none and we may not. */
export function debian(path: string, packageName: string): string | null {
  if (existsSync(path)) return path;
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return null;
  const quietly = { stdio: 'ignore', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } } as const;
  // Several test files may want one at the same time; apt waits for its own lock.
  const wait = ['-o', 'DPkg::Lock::Timeout=120'];
  execFileSync('apt-get', [...wait, 'update', '-qq'], quietly);
  execFileSync('apt-get', [...wait, 'install', '-y', '-qq', '--no-install-recommends', packageName], quietly);
  return existsSync(path) ? path : null;
}
