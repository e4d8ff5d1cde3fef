import pLimit from 'p-limit';
import type { Metrics } from '../../observe/record.ts';
import { boundedCounter } from '../../openai/tokens.ts';
import type { BuiltFiles } from '../../ports/built-files.ts';
import type { Platform } from '../../ports/platform.ts';
import type { Settings } from '../../settings/schema.ts';
import { createFetch } from './fetch.ts';
import { createPublicFetch } from './fetch-public.ts';
import { createLogger } from './logger.ts';
import { blobsFor, cacheFor, sha256 } from './stores/choose.ts';

/** Pictures and files that the whole process holds at once, on their way in or out; the others wait. */
const filesAtOnce = 16;

/** What Node gives us. `drained` resolves when all deferred work is done and the storage is let go. */
export type NodePlatform = Platform & { drained(): Promise<void> };

export function createNodePlatform(
  settings: Settings,
  secrets: readonly string[],
  emulator: string,
  metrics: Metrics | null,
  pages: BuiltFiles | null,
): NodePlatform {
  let counter: Promise<(text: string) => number> | undefined;
  const log = createLogger(settings.logLevel, secrets);
  const cache = cacheFor(settings, log);
  const ask = createFetch(settings.connectTimeout);
  const deferred = new Set<Promise<unknown>>();
  return {
    emulator,
    fetch: ask,
    pages,
    openPipe: null,
    fetchPublic: createPublicFetch(),
    blobs: blobsFor(settings),
    cache,
    canQueue: true,
    inTurn: pLimit(filesAtOnce),
    createHash: sha256,
    openSocket: (url) => new WebSocket(url),
    tokenizer: () =>
      (counter ??= import('gpt-tokenizer/encoding/o200k_base').then(({ countTokens }) =>
        boundedCounter((text) => countTokens(text)),
      )),
    now: () => Date.now(),
    defer(work) {
      deferred.add(work);
      void work.catch(() => {}).finally(() => deferred.delete(work));
    },
    metrics,
    log,
    async drained() {
      await Promise.allSettled(deferred);
      await ask.close();
      await cache.close();
    },
  };
}
