/** A gateway under test. */
export type Peer = {
  readonly name: string;
  readonly version: string;
  readonly port: number;
  /** What a request to it must carry besides the headers of the SDK. */
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds from its start until it accepted a connection. */
  readonly startMs?: number;
  /** The processes whose CPU counts. */
  pids(): readonly number[];
  stop(): void;
};

/** Starts a gateway for an upstream on a port of this machine. */
export type Start = (upstream: number) => Promise<Peer>;

export const accessKey = 'bench-access-key-0123';

/** Settings of a relay with an access key and a server-side key. */
export const withKey = (upstream: number): Readonly<Record<string, string>> => ({
  OPENAI_BASE_URL: `http://127.0.0.1:${upstream}/v1`,
  OPENAI_API_KEY: 'sk-bench-server-key',
  ACCESS_KEYS: accessKey,
});
