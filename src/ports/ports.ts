import type { Blobs } from './blobs.ts';
import type { Cache } from './cache.ts';
import type { Hash } from './hash.ts';
import type { Http } from './http.ts';
import type { Log } from './log.ts';
import type { Tasks } from './tasks.ts';

/**
 * What the core needs of a runtime. Each part has its own contract; code takes only the parts
 * that it uses.
 */
export interface Ports {
  readonly http: Http;
  readonly tasks: Tasks;
  /** Where pictures and files are stored; null if nothing can be stored. */
  readonly blobs: Blobs | null;
  readonly cache: Cache;
  readonly log: Log;
  /** SHA-256 of bytes that arrive in pieces. */
  createHash(): Hash;
  /**
   * A tokenizer, loaded when it is first needed; null if there is none and usage must be estimated.
   */
  tokenizer(): Promise<((text: string) => number) | null>;
}
