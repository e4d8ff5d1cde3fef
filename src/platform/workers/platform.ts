import { waitUntil } from 'cloudflare:workers';
import { createEmulator } from '../../emulator/emulator.ts';
import { redact } from '../../redact.ts';
import type { LogLevel, Platform } from '../platform.ts';

/** A name that no network resolves: requests to it stay inside the isolate. */
const emulatorOrigin = 'http://emulator.invalid';

const order: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/** What Workers give us: their `fetch`, their console as a log of JSON lines, and the emulator inside the isolate. */
export function createWorkersPlatform(level: LogLevel, secrets: readonly string[]): Platform {
  const emulator = createEmulator();
  return {
    emulator: emulatorOrigin,
    fetch: (request) =>
      request.url.startsWith(`${emulatorOrigin}/`) ? emulator.fetch(request) : fetch(request),
    openSocket: (url) => new WebSocket(url),
    // A tokenizer's tables are larger than a Worker may be; usage is estimated, and says so.
    tokenizer: () => Promise.resolve(null),
    now: () => Date.now(),
    defer: (work) => waitUntil(work),
    log(at, message, facts) {
      if (order[at] < order[level]) return;
      const line = redact(JSON.stringify({ level: at, message, ...facts }), secrets);
      if (at === 'error') console.error(line);
      else console.log(line);
    },
  };
}
