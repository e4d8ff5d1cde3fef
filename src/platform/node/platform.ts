import { boundedCounter } from '../../openai/tokens.ts';
import type { LogLevel, Platform } from '../platform.ts';
import { createLogger } from './logger.ts';

/** What Node gives us. `drained` resolves when all deferred work is done. */
export type NodePlatform = Platform & { drained(): Promise<void> };

export function createNodePlatform(
  level: LogLevel,
  secrets: readonly string[],
  emulator: string,
): NodePlatform {
  let counter: Promise<(text: string) => number> | undefined;
  const deferred = new Set<Promise<unknown>>();
  return {
    emulator,
    fetch: (request) => fetch(request),
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
    log: createLogger(level, secrets),
    async drained() {
      await Promise.allSettled(deferred);
    },
  };
}
