import * as v from 'valibot';
import type { Cache } from './cache.ts';
import type { Log } from './log.ts';

/** A typed view of one kind of entry. What does not fit the schema is a miss. */
export interface Table<T> {
  get(...parts: string[]): Promise<T | undefined>;
  set(value: T, ...parts: string[]): Promise<void>;
  delete(...parts: string[]): Promise<void>;
}

/** Views a cache as a table of one kind. Cache errors are logged and treated as a miss. */
export function typedCache<S extends v.GenericSchema>(
  { cache, log }: { readonly cache: Cache; readonly log: Log },
  kind: string,
  schema: S,
  ttlSeconds: number,
): Table<v.InferOutput<S>> {
  const safely = async <R>(work: () => Promise<R>): Promise<R | undefined> => {
    try {
      return await work();
    } catch (error) {
      log('warn', 'cache error, treated as a miss', {
        kind,
        error: error instanceof Error ? error.message : String(error),
      });
      return undefined;
    }
  };
  return {
    async get(...parts) {
      const parsed = v.safeParse(schema, await safely(() => cache.get([kind, ...parts])));
      return parsed.success ? parsed.output : undefined;
    },
    set: (value, ...parts) => safely(() => cache.set([kind, ...parts], value, ttlSeconds)).then(() => {}),
    delete: (...parts) => safely(() => cache.delete([kind, ...parts])).then(() => {}),
  };
}
