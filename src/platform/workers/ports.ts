import { waitUntil } from 'cloudflare:workers';
import * as v from 'valibot';
import { createEmulator } from '../../emulator/emulator.ts';
import { redact } from '../../observe/redact.ts';
import type { Blobs } from '../../ports/blobs.ts';
import type { Cache } from '../../ports/cache.ts';
import type { Hash } from '../../ports/hash.ts';
import type { Http } from '../../ports/http.ts';
import type { Log, LogLevel } from '../../ports/log.ts';
import type { Ports } from '../../ports/ports.ts';
import type { Tasks } from '../../ports/tasks.ts';
import { typedCache } from '../../ports/typed-cache.ts';
import { toHex } from '../../streams/bytes.ts';
import { withQuota } from '../memory/blob-quota.ts';
import { createMemoryCache } from '../memory/cache.ts';
import { withCircuitBreaker } from '../memory/cache-breaker.ts';
import { createTieredCache } from '../memory/tiered-cache.ts';
import { withWriteBehind } from '../memory/write-behind.ts';
import { gatherNatively } from './gather.ts';
import { createKvCache, type KvNamespace } from './kv-cache.ts';
import { createR2Blobs, type R2Bucket } from './r2-blobs.ts';

/** A name that no network resolves: requests to it stay inside the isolate. */
export const emulatorOrigin = 'http://emulator.invalid';

const order: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/** Bytes that the cache may hold of an isolate's 128 MB. */
const memoryCacheBytes = 8 * 1024 * 1024;

/** Seconds for which memory answers before KV is asked, which is slow and counted. */
const freshSeconds = 3600;

/** How long the measured total of stored bytes is used. The cron trigger measures it anew. */
const totalsSeconds = 7 * 86_400;

/**
 * The ports on Workers: their `fetch`, their console as a log of JSON lines, the emulator inside
 * the isolate, R2 and KV if they are bound (`BLOBS`, or p2vapi's `R2buket`; `CACHE`). `storedBytes`
 * is the most that R2 may hold; 0 for any number.
 */
export function createWorkersPorts(
  level: LogLevel,
  secrets: readonly string[],
  bindings: Readonly<Record<string, unknown>>,
  storedBytes = 0,
): Ports {
  const bucket = (bindings.BLOBS ?? bindings.R2buket) as R2Bucket | undefined;
  const namespace = bindings.CACHE as KvNamespace | undefined;
  const tasks: Tasks = {
    now: () => Date.now(),
    defer: (work) => waitUntil(work),
    // One request cannot wait for another here. An isolate has few of them anyway.
    limitMemory: (work) => work(),
    canQueue: false,
  };
  const log: Log = (at, message, fields) => {
    if (order[at] < order[level]) return;
    const line = redact(JSON.stringify({ level: at, message, ...fields }), secrets);
    if (at === 'error') console.error(line);
    else console.log(line);
  };
  const cache = createCache(namespace, tasks, log);
  let emulator: ReturnType<typeof createEmulator> | null = null;
  /** Made at its first request: most Workers have an upstream, and never need it. */
  const askEmulator = (request: Request) => (emulator ??= createEmulator()).fetch(request);
  const fetchUpstream: Http['fetch'] = (url, init) =>
    url.startsWith(`${emulatorOrigin}/`) ? askEmulator(new Request(url, init)) : fetch(url, init);
  return {
    http: {
      fetch: fetchUpstream,
      // The runtime reaches no private network and shows no addresses. Names and literal addresses
      // are checked by the guarded fetch.
      fetchPublic: (url, init) => fetchUpstream(url.href, init),
      openSocket: (url) => new WebSocket(url.href),
      gather: gatherNatively,
    },
    tasks,
    blobs: bucket ? limitedBlobs(createR2Blobs(bucket), storedBytes, tasks, { cache, log }) : null,
    cache,
    log,
    createHash: sha256,
    // A tokenizer's tables are larger than a Worker may be. Usage is estimated, and marked as such.
    tokenizer: () => Promise.resolve(null),
  };
}

/** Memory in front of KV, if it is bound. */
function createCache(namespace: KvNamespace | undefined, tasks: Tasks, log: Log): Cache {
  const memory = createMemoryCache(Date.now, memoryCacheBytes);
  if (!namespace) return memory;
  const kv = withCircuitBreaker(createKvCache(namespace, Date.now), {
    now: Date.now,
    onFailure: (error) =>
      log('warn', 'KV cannot be used: what it would hold is learned again', { error: String(error) }),
    onRecovery: () => log('info', 'KV can be used again'),
  });
  return createTieredCache(memory, withWriteBehind(kv, tasks), { now: Date.now, freshSeconds });
}

/**
 * R2 with a limit in bytes. The cron trigger lists the bucket and leaves the total in the cache: to
 * list it in each isolate would cost too many operations.
 */
function limitedBlobs(
  blobs: Blobs,
  maxBytes: number,
  tasks: Tasks,
  ports: Pick<Ports, 'cache' | 'log'>,
): Blobs {
  const schema = v.object({ all: v.number(), uploads: v.number() });
  const totals = typedCache(ports, 'stored-totals', schema, totalsSeconds);
  return withQuota(blobs, {
    maxBytes,
    now: tasks.now,
    loadTotals: async () => (await totals.get()) ?? { all: 0, uploads: 0 },
    onMeasured: (measured) => tasks.defer(totals.set(measured)),
    // The cron trigger deletes: an isolate may not have the operations left.
    onNearlyFull: () => {},
  });
}

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
      return toHex(new Uint8Array(await stream.digest));
    },
  };
}
