import { debian } from './debian.ts';

/** The path of Debian's Chromium, installed if we have the right to. Null if there is none. */
export function chromium(): string | null {
  return debian('/usr/bin/chromium', 'chromium');
}

/** Flags for a browser that makes no request by itself. */
export const chromiumFlags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
