import { boundedCounter } from '../../openai/tokens.ts';
import type { Blobs } from '../../ports/blobs.ts';
import type { Ports } from '../../ports/ports.ts';
import type { Tasks } from '../../ports/tasks.ts';
import type { Settings } from '../../settings/schema.ts';
import { withTimeout } from '../../streams/with-timeout.ts';
import { withQuota } from '../memory/blob-quota.ts';
import { createFairLimit } from '../memory/fair-limit.ts';
import { createFetch } from './fetch.ts';
import { createPublicHttp } from './fetch-public.ts';
import { createLogger } from './logger.ts';
import { createProxyFor } from './outbound-proxy.ts';
import { blobsFor, cacheFor, sha256 } from './stores/choose.ts';

/** Pictures and files that the process holds in memory at once, in all and for one caller. */
const filesAtOnce = { total: 16, perCaller: 4 };

/** Longest time that the end of the process waits for deferred work, in seconds. */
const deferredSeconds = 5;

/**
 * The ports on Node. `drained` resolves when the deferred work is done, or had its time, and the
 * storage is closed.
 */
export type NodePorts = Ports & { drained(): Promise<void> };

export function createNodePorts(
  settings: Settings,
  secrets: readonly string[],
  sweep: (ports: Pick<Ports, 'blobs' | 'tasks' | 'log'>, settings: Settings) => Promise<void>,
): NodePorts {
  let counter: Promise<(text: string) => number> | undefined;
  const log = createLogger(settings.logLevel, secrets);
  const cache = cacheFor(settings, log);
  const proxyFor = createProxyFor(settings);
  const fetch = createFetch(settings.connectTimeout, proxyFor);
  const deferred = new Set<Promise<unknown>>();
  const tasks: Tasks = {
    now: () => Date.now(),
    defer(work) {
      deferred.add(work);
      void work.catch(() => {}).finally(() => deferred.delete(work));
    },
    limitMemory: createFairLimit(filesAtOnce),
    canQueue: true,
  };
  const blobs: Blobs = withQuota(blobsFor(settings), {
    maxBytes: settings.storedBytes,
    now: () => performance.now(),
    loadTotals: async () => null,
    onMeasured: () => {},
    onNearlyFull: () => tasks.defer(sweep({ blobs, tasks, log }, settings)),
  });
  return {
    http: { fetch, ...createPublicHttp(undefined, proxyFor) },
    tasks,
    blobs,
    cache,
    log,
    createHash: sha256,
    tokenizer: () =>
      (counter ??= import('gpt-tokenizer/encoding/o200k_base').then(({ countTokens }) =>
        // The names of special tokens are text like any other here.
        boundedCounter((text) => countTokens(text, { disallowedSpecial: new Set() })),
      )),
    async drained() {
      const work = Promise.allSettled(deferred).then(() => {});
      await withTimeout(work, deferredSeconds, () => new Error('late')).catch(() =>
        log('warn', 'work beside the requests did not end in time', { tasks: deferred.size }),
      );
      await fetch.close();
      await cache.close();
    },
  };
}
