import { Failure } from '../../http/failure.ts';
import { guardedFetch } from '../../http/guarded-fetch.ts';
import type { Http } from '../../ports/http.ts';
import { concatBytes } from '../../streams/read-all.ts';
import { readChunks } from '../../streams/read-chunks.ts';
import { withTimeout } from '../../streams/with-timeout.ts';

/** A file at a caller's address: its head and its first bytes have arrived. */
export type OpenedFile = {
  /** The declared type; null if there is none. */
  readonly type: string | null;
  /** Reads the rest. Returns the whole file. */
  read(): Promise<Uint8Array>;
  /** Leaves the file unread. */
  cancel(): void;
};

export type OpenOptions = {
  /** Private `host:port` pairs that a caller may name. */
  readonly allow: ReadonlySet<string>;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  tooLarge(): Error;
  /** Default: `fetchPace`. */
  readonly pace?: FetchPace;
};

/** How slow an address that a caller named may be. Only time spent waiting for it counts. */
export type FetchPace = {
  /** For the head and all bytes together, in seconds. */
  readonly totalSeconds: number;
  /** Seconds of a body in which any rate will do. */
  readonly graceSeconds: number;
  /** Beyond the grace time, each of these bytes that arrived allows one more second. */
  readonly bytesPerSecond: number;
};

export const fetchPace: FetchPace = { totalSeconds: 30, graceSeconds: 10, bytesPerSecond: 64 * 1024 };

/** Bytes that are read before `read` is called. A body that drips does not send as many. */
const firstBytes = 64 * 1024;

/**
 * Fetches from an address that a caller named, up to the first 64 KiB. So much is cheap to hold:
 * the caller of this function waits for a place in memory only for the rest.
 */
export async function openAddress(
  http: Pick<Http, 'fetchPublic'>,
  url: string,
  { allow, maxBytes, signal, tooLarge, pace = fetchPace }: OpenOptions,
): Promise<OpenedFile> {
  const startedAt = performance.now();
  const guard = { allow, timeoutSeconds: pace.totalSeconds };
  const response = await guardedFetch(http, url, guard, { signal });
  const { body, headers } = response;
  if (!response.ok) {
    discard(body);
    throw new Failure('invalid_request', `Its address answers with status ${response.status}.`);
  }
  if (Number(headers.get('content-length')) > maxBytes) {
    discard(body);
    throw tooLarge();
  }
  const type = headers.get('content-type');
  if (body === null) return { type, read: async () => new Uint8Array(), cancel: () => {} };
  const reader = createPacedReader(body, pace, (performance.now() - startedAt) / 1000);
  const readUpTo = async (limit: number): Promise<void> => {
    try {
      while (reader.length() < limit && (await reader.next()))
        if (reader.length() > maxBytes) throw tooLarge();
    } catch (error) {
      reader.cancel();
      throw error instanceof Failure
        ? error
        : new Failure('invalid_request', 'It broke off.', { cause: error });
    }
  };
  await readUpTo(firstBytes);
  return {
    type,
    async read() {
      await readUpTo(Number.POSITIVE_INFINITY);
      return reader.take();
    },
    cancel: reader.cancel,
  };
}

/** Reads a body chunk by chunk, and fails if its sender is slower than `pace` allows. */
function createPacedReader(body: ReadableStream<Uint8Array>, pace: FetchPace, headSeconds: number) {
  const iterator = readChunks(body)[Symbol.asyncIterator]();
  const chunks: Uint8Array[] = [];
  let length = 0;
  let waitedSeconds = 0;

  const leftSeconds = (): number =>
    Math.min(
      pace.totalSeconds - headSeconds - waitedSeconds,
      pace.graceSeconds + length / pace.bytesPerSecond - waitedSeconds,
    );

  return {
    length: () => length,
    /** Waits for the next chunk. Returns false at the end. */
    async next(): Promise<boolean> {
      const startedAt = performance.now();
      // A limit of 0 would be none.
      const seconds = Math.max(leftSeconds(), 0.001);
      const { done, value } = await withTimeout(iterator.next(), seconds, tooSlow);
      waitedSeconds += (performance.now() - startedAt) / 1000;
      if (done) return false;
      length += value.length;
      chunks.push(value);
      return true;
    },
    take: (): Uint8Array => concatBytes(chunks),
    cancel(): void {
      chunks.length = 0;
      void iterator.return?.().catch(() => {});
    },
  };
}

function tooSlow(): Failure {
  return new Failure('upstream_timeout', 'Its address sends it too slowly.');
}

/** Leaves a body unread. Not awaited: a body that is silent may not react. */
function discard(body: ReadableStream<Uint8Array> | null): void {
  void body?.cancel().catch(() => {});
}
