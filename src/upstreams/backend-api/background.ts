import { Failure } from '../../http/failure.ts';
import { sleep } from '../../streams/sleep.ts';
import type { Client } from './client.ts';
import type { Message } from './decode/message.ts';
import { hasPicture, isEndOfTurn } from './reduce/results.ts';

export type PollOptions = {
  /** Longest time to poll, in seconds. */
  readonly seconds: number;
  /** How many requests in a row may be refused. The last refusal is thrown. */
  readonly maxRefusals: number;
  /** Whether a picture is a result, although the turn is not over. */
  readonly acceptsPicture: boolean;
};

const firstPollMs = 500;
const pollEveryMs = 4000;

/**
 * Polls a stored conversation until its turn is over. Gives the messages after the user's last one;
 * null if the turn is not over in time.
 */
export async function storedResult(
  client: Pick<Client, 'stored'>,
  conversationId: string,
  { seconds, maxRefusals, acceptsPicture }: PollOptions,
  signal: AbortSignal,
): Promise<Message[] | null> {
  const late = new AbortController();
  const timer = setTimeout(() => {
    const message = `The upstream did not finish its answer within ${seconds} seconds.`;
    late.abort(new Failure('upstream_timeout', message));
  }, seconds * 1000);
  const either = AbortSignal.any([signal, late.signal]);
  let refusals = 0;
  try {
    for (let waitMs = firstPollMs; !either.aborted; waitMs = pollEveryMs) {
      await sleep(waitMs, either);
      if (either.aborted) break;
      try {
        const result = resultIn(await client.stored(conversationId, either), acceptsPicture);
        if (result !== null) return result;
        refusals = 0;
      } catch (error) {
        if (!either.aborted && ++refusals >= maxRefusals) throw error;
      }
    }
  } finally {
    clearTimeout(timer);
  }
  return null;
}

type Node = { readonly message?: Message | null; readonly parent?: string | null };

/** The messages of a turn that is over; null if it is not. */
function resultIn(stored: Record<string, unknown>, acceptsPicture: boolean): Message[] | null {
  if (typeof stored.mapping !== 'object' || stored.mapping === null)
    throw new Failure('upstream_error', 'The upstream gave no stored conversation.');
  const mapping = stored.mapping as Record<string, Node>;
  const thread = threadOf(stored.current_node, mapping);
  const turn = thread.slice(thread.findLastIndex(({ author }) => author?.role === 'user') + 1);
  const last = turn.at(-1);
  if (last && isEndOfTurn(last)) return turn;
  if (!acceptsPicture) return null;
  // A picture of the background may stand beside the thread.
  const others = Object.values(mapping).flatMap(({ message }) =>
    message?.author?.role === 'tool' && !thread.includes(message) && hasPicture(message) ? [message] : [],
  );
  return others.length > 0 || turn.some(hasPicture) ? [...turn, ...others] : null;
}

/** The live thread: from its current end back by parents. Other branches are edits. */
function threadOf(end: unknown, mapping: Readonly<Record<string, Node>>): Message[] {
  const thread: Message[] = [];
  const seen = new Set<string>();
  let id = typeof end === 'string' ? end : null;
  while (id !== null && !seen.has(id)) {
    seen.add(id);
    const node: Node | undefined = Object.hasOwn(mapping, id) ? mapping[id] : undefined;
    if (node?.message) thread.push(node.message);
    id = node?.parent ?? null;
  }
  return thread.reverse();
}
