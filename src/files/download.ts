import { Failure } from '../http/failure.ts';
import type { Hash } from '../ports/hash.ts';
import { withTimeout } from '../streams/with-timeout.ts';
import { headBytes } from './file-type.ts';
import { bodyTooLarge } from './storage-failures.ts';

/** Seconds of silence after which a download is given up. */
const idleSeconds = 30;

/** The first chunks of a body: enough to tell its type, or all there are. */
export async function readHead(chunks: AsyncIterator<Uint8Array>): Promise<Uint8Array[]> {
  const head: Uint8Array[] = [];
  for (let length = 0; length < headBytes; ) {
    const { done, value } = await nextOf(chunks);
    if (done) break;
    head.push(value);
    length += value.length;
  }
  return head;
}

/** The whole body, counted and hashed as it passes. Throws a 413 beyond `limit` bytes. */
export async function* measured(
  head: readonly Uint8Array[],
  rest: AsyncIterator<Uint8Array>,
  limit: number,
  hash: Hash | null,
): AsyncGenerator<Uint8Array> {
  let length = 0;
  const measure = async (chunk: Uint8Array): Promise<Uint8Array> => {
    length += chunk.length;
    if (length > limit) throw bodyTooLarge(limit);
    await hash?.update(chunk);
    return chunk;
  };
  try {
    for (const chunk of head) yield await measure(chunk);
    for (;;) {
      const { done, value } = await nextOf(rest);
      if (done) return;
      yield await measure(value);
    }
  } finally {
    // Not awaited: a source that is silent would not answer.
    void rest.return?.().catch(() => {});
  }
}

async function nextOf(chunks: AsyncIterator<Uint8Array>): Promise<IteratorResult<Uint8Array>> {
  try {
    return await withTimeout(chunks.next(), idleSeconds, silent);
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure('upstream_error', 'the download broke off', { cause: error });
  }
}

function silent(): Failure {
  return new Failure('upstream_timeout', `the download was silent for ${idleSeconds} seconds`);
}
