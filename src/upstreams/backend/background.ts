import type { Segment } from '../../segments/segment.ts';
import type { Client } from './client.ts';
import type { Message } from './decode/message.ts';
import { picturesOf } from './reduce/pictures.ts';

const everyMs = 4000;
const patienceMs = 120_000;

/** Asks for a conversation again and again until the pictures it promised are there; none where they never come. */
export async function backgroundPictures(
  client: Client,
  conversationId: string,
  signal: AbortSignal,
): Promise<Segment[]> {
  const until = Date.now() + patienceMs;
  for (let wait = 500; !signal.aborted && Date.now() < until; wait = everyMs) {
    await pause(wait, signal);
    const stored = await client.stored(conversationId, signal).catch(() => null);
    const pictures = stored ? picturesIn(stored) : [];
    if (pictures.length > 0) return pictures;
  }
  return [];
}

function picturesIn(stored: Record<string, unknown>): Segment[] {
  const known = new Set<string>();
  const nodes = Object.values((stored.mapping ?? {}) as Record<string, { message?: Message | null }>);
  return nodes.flatMap(({ message }) => (message?.author?.role === 'tool' ? picturesOf(message, known) : []));
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
