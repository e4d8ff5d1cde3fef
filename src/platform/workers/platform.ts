import { waitUntil } from 'cloudflare:workers';
import { createEmulator } from '../../emulator/emulator.ts';
import { redact } from '../../observe/redact.ts';
import type { BuiltFiles } from '../../ports/built-files.ts';
import type { Hash, LogLevel, Platform } from '../../ports/platform.ts';
import { createMemoryCache } from '../memory/cache.ts';
import { createKvCache, type KvNamespace } from './kv-cache.ts';
import { createR2Blobs, type R2Bucket } from './r2-blobs.ts';

/** A name that no network resolves: requests to it stay inside the isolate. */
const emulatorOrigin = 'http://emulator.invalid';

const order: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/**
 * What Workers give us: their `fetch`, their console as a log of JSON lines, the emulator inside the isolate; R2 and KV where they are bound
 * (`BLOBS`, or p2vapi's `R2buket`; `CACHE`).
 */
export function createWorkersPlatform(
  level: LogLevel,
  secrets: readonly string[],
  bindings: Readonly<Record<string, unknown>>,
  pages: BuiltFiles,
): Platform {
  const bucket = (bindings.BLOBS ?? bindings.R2buket) as R2Bucket | undefined;
  const namespace = bindings.CACHE as KvNamespace | undefined;
  const emulator = createEmulator();
  const ask: Platform['fetch'] = (url, init) =>
    url.startsWith(`${emulatorOrigin}/`) ? emulator.fetch(new Request(url, init)) : fetch(url, init);
  return {
    emulator: emulatorOrigin,
    fetch: ask,
    pages,
    openPipe: () => new IdentityTransformStream(),
    // The runtime itself reaches no private network, and shows no addresses: names and literal addresses are looked at before.
    fetchPublic: (url, init) => ask(url.href, init),
    blobs: bucket ? createR2Blobs(bucket) : null,
    cache: namespace ? createKvCache(namespace, Date.now) : createMemoryCache(Date.now),
    // No request may wait for another here; an isolate has few of them anyway.
    canQueue: false,
    inTurn: (work) => work(),
    createHash: sha256,
    openSocket: (url) => new WebSocket(url),
    // A tokenizer's tables are larger than a Worker may be; usage is estimated, and says so.
    tokenizer: () => Promise.resolve(null),
    now: () => Date.now(),
    defer: (work) => waitUntil(work),
    metrics: null,
    log(at, message, facts) {
      if (order[at] < order[level]) return;
      const line = redact(JSON.stringify({ level: at, message, ...facts }), secrets);
      if (at === 'error') console.error(line);
      else console.log(line);
    },
  };
}

/** A pipe of the runtime's own; its type is not among the standard's. */
declare const IdentityTransformStream: new () => ReadableWritablePair<Uint8Array, Uint8Array>;

/** SHA-256 by the runtime, which has a stream for it where the standard has none. */
function sha256(): Hash {
  const { DigestStream } = crypto as unknown as {
    DigestStream: new (name: string) => WritableStream<Uint8Array> & { digest: Promise<ArrayBuffer> };
  };
  const stream = new DigestStream('SHA-256');
  const writer = stream.getWriter();
  return {
    update: (bytes) => writer.write(bytes),
    async hex() {
      await writer.close();
      return [...new Uint8Array(await stream.digest)]
        .map((byte) => byte.toString(16).padStart(2, '0'))
        .join('');
    },
  };
}
