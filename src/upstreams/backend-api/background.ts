import { Failure } from '../../http/failure.ts';
import type { Segment } from '../../segments/segment.ts';
import { sleep } from '../../streams/sleep.ts';
import type { Client } from './client.ts';
import { isFinished, type Message } from './decode/message.ts';
import { picturesOf } from './reduce/pictures.ts';

const firstPollMs = 500;
const pollEveryMs = 4000;
const maxPollSeconds = 120;

/** Polls a conversation until it holds the pictures that it promised; none if they do not come in time. */
export async function backgroundPictures(
  client: Pick<Client, 'stored'>,
  conversationId: string,
  signal: AbortSignal,
): Promise<Segment[]> {
  const pictures = await poll(client, conversationId, signal, (stored) => {
    const ready = picturesIn(stored);
    return ready.length > 0 ? ready : null;
  });
  return pictures ?? [];
}

/**
 * Polls a conversation until an answer that continued without a stream is finished. Gives the
 * messages after the user's last one; null if it is not finished in time.
 */
export function storedAnswer(
  client: Pick<Client, 'stored'>,
  conversationId: string,
  signal: AbortSignal,
): Promise<Message[] | null> {
  return poll(client, conversationId, signal, (stored) => {
    const thread = threadOf(stored);
    const last = thread.at(-1);
    const isOver = last?.author?.role === 'assistant' && last.end_turn === true && isFinished(last);
    return isOver ? thread.slice(thread.findLastIndex(({ author }) => author?.role === 'user') + 1) : null;
  });
}

/** Throws the last refusal if the upstream refused every request. */
async function poll<T>(
  client: Pick<Client, 'stored'>,
  conversationId: string,
  signal: AbortSignal,
  read: (stored: Record<string, unknown>) => T | null,
): Promise<T | null> {
  const late = new AbortController();
  const timer = setTimeout(() => {
    const message = `The upstream did not finish its answer within ${maxPollSeconds} seconds.`;
    late.abort(new Failure('upstream_timeout', message));
  }, maxPollSeconds * 1000);
  const either = AbortSignal.any([signal, late.signal]);
  let refusal: unknown = null;
  try {
    for (let waitMs = firstPollMs; !either.aborted; waitMs = pollEveryMs) {
      await sleep(waitMs, either);
      if (either.aborted) break;
      try {
        const result = read(await client.stored(conversationId, either));
        if (result !== null) return result;
        refusal = null;
      } catch (error) {
        refusal = error;
      }
    }
  } finally {
    clearTimeout(timer);
  }
  if (refusal !== null) throw refusal;
  return null;
}

type Node = { readonly message?: Message | null; readonly parent?: string | null };

/** The live thread of a stored conversation: from its current end back by parents. Other branches are edits. */
function threadOf(stored: Record<string, unknown>): Message[] {
  const mapping = (stored.mapping ?? {}) as Record<string, Node>;
  const thread: Message[] = [];
  const seen = new Set<string>();
  let id = typeof stored.current_node === 'string' ? stored.current_node : null;
  while (id !== null && !seen.has(id)) {
    seen.add(id);
    const node: Node | undefined = Object.hasOwn(mapping, id) ? mapping[id] : undefined;
    if (node?.message) thread.push(node.message);
    id = node?.parent ?? null;
  }
  return thread.reverse();
}

function picturesIn(stored: Record<string, unknown>): Segment[] {
  const known = new Set<string>();
  const nodes = Object.values((stored.mapping ?? {}) as Record<string, { message?: Message | null }>);
  return nodes.flatMap(({ message }) => (message?.author?.role === 'tool' ? picturesOf(message, known) : []));
}
