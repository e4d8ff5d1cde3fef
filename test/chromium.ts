import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const path = '/usr/bin/chromium';

/** A real Chromium: the one Debian has, installed where we may; null where there is none and we may not. */
export function chromium(): string | null {
  if (existsSync(path)) return path;
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return null;
  const quietly = { stdio: 'ignore', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } } as const;
  execFileSync('apt-get', ['update', '-qq'], quietly);
  execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'], quietly);
  return existsSync(path) ? path : null;
}

/** Flags for a browser that stays on this machine and asks nobody anything. */
export const chromiumFlags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
