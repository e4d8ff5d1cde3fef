import type { EndedBy } from '../http/ended-by.ts';

/**
 * One request that is over, however it ended. Log and metrics read the same record.
 * It holds no key and no prompt.
 */
export type RequestRecord = {
  readonly id: string;
  readonly method: string;
  readonly route: string;
  /** Without its query, in which some clients put keys. */
  readonly path: string;
  /** Name of the caller if the gateway knows it; null for an anonymous one. */
  readonly caller: string | null;
  /** The client's address; null if it is unknown or not logged. */
  readonly client: string | null;
  /** As the caller named it. */
  readonly model: string | null;
  readonly upstream: string | null;
  /** How many upstreams and keys were asked, if more than one. */
  readonly attempts?: number | undefined;
  readonly status: number;
  /** Body bytes sent to the caller; null if the runtime does not tell. */
  readonly bytes: number | null;
  /** Milliseconds from the request to the first body byte. */
  readonly firstByteMs: number | null;
  readonly totalMs: number;
  readonly endedBy: EndedBy;
  readonly error?: string | undefined;
};

/** Reads finished requests. */
export interface Sink {
  readonly name: string;
  record(record: RequestRecord): void;
}

/** What a runtime counts of its requests, if it keeps running between them. */
export interface Metrics extends Sink {
  /** Counts a request that began. */
  opened(): void;
  /** All that was counted, by all processes, in Prometheus' text format, and its media type. */
  text(): Promise<{ readonly body: string; readonly type: string }>;
}
