import pLimit from 'p-limit';
import type { Metrics } from '../../observe/record.ts';
import { boundedCounter } from '../../openai/tokens.ts';
import type { Ports } from '../../ports/ports.ts';
import type { Settings } from '../../settings/schema.ts';
import { createFetch } from './fetch.ts';
import { createPublicFetch } from './fetch-public.ts';
import { createLogger } from './logger.ts';
import { blobsFor, cacheFor, sha256 } from './stores/choose.ts';

/** Pictures and files that the whole process holds at once, on their way in or out; the others wait. */
const filesAtOnce = 16;

/** The ports on Node. `drained` resolves when all deferred work is done and the storage is closed. */
export type NodePorts = Ports & { drained(): Promise<void> };

export function createNodePorts(
  settings: Settings,
  secrets: readonly string[],
  metrics: Metrics | null,
): NodePorts {
  let counter: Promise<(text: string) => number> | undefined;
  const log = createLogger(settings.logLevel, secrets);
  const cache = cacheFor(settings, log);
  const fetch = createFetch(settings.connectTimeout);
  const deferred = new Set<Promise<unknown>>();
  return {
    http: { fetch, fetchPublic: createPublicFetch(), openSocket: (url) => new WebSocket(url) },
    tasks: {
      now: () => Date.now(),
      defer(work) {
        deferred.add(work);
        void work.catch(() => {}).finally(() => deferred.delete(work));
      },
      limitMemory: pLimit(filesAtOnce),
      canQueue: true,
    },
    blobs: blobsFor(settings),
    cache,
    log,
    metrics,
    createHash: sha256,
    tokenizer: () =>
      (counter ??= import('gpt-tokenizer/encoding/o200k_base').then(({ countTokens }) =>
        boundedCounter((text) => countTokens(text)),
      )),
    async drained() {
      await Promise.allSettled(deferred);
      await fetch.close();
      await cache.close();
    },
  };
}
