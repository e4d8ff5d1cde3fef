import { debian } from './debian.ts';

/** A real Chromium: the one Debian has, installed where we may; null where there is none and we may not. */
export function chromium(): string | null {
  return debian('/usr/bin/chromium', 'chromium');
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
