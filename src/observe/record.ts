import type { EndedBy } from '../reply.ts';

/** One request that is over, as it is counted. No key, prompt or caller is among it. */
export type RequestRecord = {
  readonly route: string;
  /** Without its query. */
  readonly path: string;
  /** As the caller named it; counted by name only where it was answered. */
  readonly model: string | null;
  readonly upstream: string | null;
  readonly attempts?: number | undefined;
  readonly status: number;
  readonly bytes: number | null;
  readonly firstByteMs: number | null;
  readonly totalMs: number;
  readonly endedBy: EndedBy;
};

/** What a machine counts of its requests, where it keeps running between them. */
export interface Metrics {
  opened(): void;
  record(record: RequestRecord): void;
  /** Everything that was counted, by all processes, in Prometheus' text format, and its media type. */
  text(): Promise<{ readonly body: string; readonly type: string }>;
}
