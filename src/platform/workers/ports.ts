import { waitUntil } from 'cloudflare:workers';
import { createEmulator } from '../../emulator/emulator.ts';
import { redact } from '../../observe/redact.ts';
import type { Hash } from '../../ports/hash.ts';
import type { Http } from '../../ports/http.ts';
import type { LogLevel } from '../../ports/log.ts';
import type { Ports } from '../../ports/ports.ts';
import { createMemoryCache } from '../memory/cache.ts';
import { createKvCache, type KvNamespace } from './kv-cache.ts';
import { createR2Blobs, type R2Bucket } from './r2-blobs.ts';

/** A name that no network resolves: requests to it stay inside the isolate. */
export const emulatorOrigin = 'http://emulator.invalid';

const order: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/**
 * The ports on Workers: their `fetch`, their console as a log of JSON lines, the emulator inside the
 * isolate, R2 and KV if they are bound (`BLOBS`, or p2vapi's `R2buket`; `CACHE`).
 */
export function createWorkersPorts(
  level: LogLevel,
  secrets: readonly string[],
  bindings: Readonly<Record<string, unknown>>,
): Ports {
  const bucket = (bindings.BLOBS ?? bindings.R2buket) as R2Bucket | undefined;
  const namespace = bindings.CACHE as KvNamespace | undefined;
  const emulator = createEmulator();
  const fetchUpstream: Http['fetch'] = (url, init) =>
    url.startsWith(`${emulatorOrigin}/`) ? emulator.fetch(new Request(url, init)) : fetch(url, init);
  return {
    http: {
      fetch: fetchUpstream,
      // The runtime reaches no private network and shows no addresses. Names and literal addresses
      // are checked by the guarded fetch.
      fetchPublic: (url, init) => fetchUpstream(url.href, init),
      openSocket: (url) => new WebSocket(url),
    },
    tasks: {
      now: () => Date.now(),
      defer: (work) => waitUntil(work),
      // One request cannot wait for another here. An isolate has few of them anyway.
      limitMemory: (work) => work(),
      canQueue: false,
    },
    blobs: bucket ? createR2Blobs(bucket) : null,
    cache: namespace ? createKvCache(namespace, Date.now) : createMemoryCache(Date.now),
    metrics: null,
    createHash: sha256,
    // A tokenizer's tables are larger than a Worker may be. Usage is estimated, and marked as such.
    tokenizer: () => Promise.resolve(null),
    log(at, message, fields) {
      if (order[at] < order[level]) return;
      const line = redact(JSON.stringify({ level: at, message, ...fields }), secrets);
      if (at === 'error') console.error(line);
      else console.log(line);
    },
  };
}

/** Makes a pipe that the runtime carries bytes through, without waking the isolate for each chunk. */
export const createPipe = (): ReadableWritablePair<Uint8Array, Uint8Array> => new IdentityTransformStream();

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
