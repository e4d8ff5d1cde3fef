import type { Call } from '../../call.ts';
import type { Timeouts, WhenCallerLeaves } from '../../relay/relay.ts';
import type { Semaphore } from '../../relay/semaphore.ts';

/** The settings of one upstream. */
export type BackendSettings = {
  readonly name: string;
  /** Base address and prefix, without a slash at the end; several are used in turn. */
  readonly bases: readonly string[];
  /** Server-side keys, used in turn; empty if callers bring their own; null if none is needed. */
  readonly keys: readonly string[] | null;
  readonly timeouts: Timeouts;
  /** Its own limit for a whole answer, in seconds; null if TOTAL_TIMEOUT is its limit. */
  readonly totalSeconds: number | null;
  readonly whenCallerLeaves: WhenCallerLeaves;
  readonly slots: Semaphore | null;
  readonly continueRounds: number;
  /** Milliseconds for which events of a streamed answer gather before they are read. */
  readonly coalesceMs?: number | undefined;
  readonly historyDisabled: boolean;
  readonly hideConversations: boolean;
  readonly alwaysAllowActions: boolean;
  /** Longest time to poll for a result that comes without a stream, in seconds. */
  readonly backgroundTimeout: number;
  /** Whether the upstream gets hints how much to think, and when to search or draw. */
  readonly sendHints: boolean;
  /** A key that may read what GPTs are. */
  readonly keyForGptsInfo?: string | undefined;
  readonly publicUrl?: string | undefined;
  readonly r2Domain?: string | undefined;
  /** Rewrites the upstream's own links, if callers cannot reach them as they are. */
  readonly publicLink?: (call: Call, url: string) => string;
  readonly upstreamLinks: boolean;
  readonly maxStoredBytes: number;
  readonly maxFileBytes: number;
  /** Private hosts, as `host:port`, that files may be fetched from. */
  readonly fileFetchAllow: readonly string[];
  /** How long the list of models is cached, in seconds. */
  readonly modelsCacheSeconds: number;
};
