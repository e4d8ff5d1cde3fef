import { concatBytes } from './read-all.ts';
import type { ChunkReader } from './read-chunks.ts';

/** Reads a body in few steps: what arrives within `ms` milliseconds comes as one chunk. */
export type Gather = (body: ReadableStream<Uint8Array>, ms: number) => GatheredReader;

export type GatheredReader = Pick<ChunkReader, 'read' | 'cancel'>;

/** Most bytes that are held until they are read. */
const maxHeldBytes = 256 * 1024;

/**
 * Gathers the chunks of a reader. The first chunk comes at once. After that there are at least `ms`
 * milliseconds between two chunks, unless the body ends or much has arrived.
 */
export function gatherChunks(reader: Pick<ChunkReader, 'read' | 'cancel'>, ms: number): GatheredReader {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let isOver = false;
  let failure: { readonly error: unknown } | null = null;
  let isReading = false;
  /** When the next chunk may be given. The first has no wait. */
  let dueAt = 0;
  let notify: (() => void) | null = null;

  const readAhead = async (): Promise<void> => {
    isReading = true;
    try {
      while (!isOver && heldBytes < maxHeldBytes) {
        const { done, value } = await reader.read();
        if (done) isOver = true;
        else {
          held.push(value);
          heldBytes += value.length;
        }
        if (isReady()) notify?.();
      }
    } catch (error) {
      isOver = true;
      failure = { error };
      notify?.();
    }
    isReading = false;
  };
  const isReady = (): boolean =>
    isOver || heldBytes >= maxHeldBytes || (heldBytes > 0 && performance.now() >= dueAt);

  return {
    async read() {
      if (!isReading && !isOver) void readAhead();
      if (!isReady()) {
        const { promise, resolve } = Promise.withResolvers<void>();
        notify = resolve;
        const timer = setTimeout(
          () => heldBytes > 0 && resolve(),
          Math.max(dueAt - performance.now(), 0) + 1,
        );
        await promise;
        clearTimeout(timer);
        notify = null;
      }
      if (heldBytes === 0) {
        if (failure) throw failure.error;
        return { done: true, value: undefined };
      }
      const value = concatBytes(held);
      held = [];
      heldBytes = 0;
      dueAt = performance.now() + ms;
      return { done: false, value };
    },
    async cancel(reason) {
      isOver = true;
      held = [];
      heldBytes = 0;
      notify?.();
      await reader.cancel(reason);
    },
  };
}
