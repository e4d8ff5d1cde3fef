import type { Segment } from '../../segments/segment.ts';
import { sleep } from '../../streams/sleep.ts';
import type { Client } from './client.ts';
import { isFinished, type Message } from './decode/message.ts';
import { picturesOf } from './reduce/pictures.ts';

const everyMs = 4000;
const patienceMs = 120_000;

/** Asks for a conversation again and again until the pictures it promised are there; none where they never come. */
export async function backgroundPictures(
  client: Client,
  conversationId: string,
  signal: AbortSignal,
): Promise<Segment[]> {
  const found = await polled(client, conversationId, signal, (stored) => {
    const pictures = picturesIn(stored);
    return pictures.length > 0 ? pictures : null;
  });
  return found ?? [];
}

/**
 * The messages of an answer that went on out of sight, once it is finished there: what stands after the user's last message. Null where
 * that never comes.
 */
export function storedAnswer(
  client: Client,
  conversationId: string,
  signal: AbortSignal,
): Promise<Message[] | null> {
  return polled(client, conversationId, signal, (stored) => {
    const thread = threadOf(stored);
    const last = thread.at(-1);
    const isOver = last?.author?.role === 'assistant' && last.end_turn === true && isFinished(last);
    return isOver ? thread.slice(thread.findLastIndex(({ author }) => author?.role === 'user') + 1) : null;
  });
}

async function polled<T>(
  client: Client,
  conversationId: string,
  signal: AbortSignal,
  look: (stored: Record<string, unknown>) => T | null,
): Promise<T | null> {
  const until = Date.now() + patienceMs;
  for (let wait = 500; !signal.aborted && Date.now() < until; wait = everyMs) {
    await sleep(wait, signal);
    const stored = await client.stored(conversationId, signal).catch(() => null);
    const found = stored ? look(stored) : null;
    if (found !== null) return found;
  }
  return null;
}

type Node = { readonly message?: Message | null; readonly parent?: string | null };

/** The live thread of a stored conversation: from its present end back by parents; other branches are edits. */
function threadOf(stored: Record<string, unknown>): Message[] {
  const mapping = (stored.mapping ?? {}) as Record<string, Node>;
  const thread: Message[] = [];
  const seen = new Set<string>();
  let id = typeof stored.current_node === 'string' ? stored.current_node : null;
  while (id !== null && !seen.has(id)) {
    seen.add(id);
    const node: Node | undefined = mapping[id];
    if (node?.message) thread.unshift(node.message);
    id = node?.parent ?? null;
  }
  return thread;
}

function picturesIn(stored: Record<string, unknown>): Segment[] {
  const known = new Set<string>();
  const nodes = Object.values((stored.mapping ?? {}) as Record<string, { message?: Message | null }>);
  return nodes.flatMap(({ message }) => (message?.author?.role === 'tool' ? picturesOf(message, known) : []));
}
