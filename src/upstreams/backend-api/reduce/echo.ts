import { isFinished, type Message, textOf } from '../decode/message.ts';

/** A message of the request, as the upstream may send it back. */
export type SentMessage = { readonly id: string; readonly role: string; readonly text: string };

/** How the upstream calls messages that it made itself. */
const madeTypes = new Set(['next', 'continue', 'variant']);

/**
 * Leaves out the messages of the request that an upstream sends back before its answer: by their
 * id, and where it gives new ids, by what they are. A message that looks like an earlier answer but
 * may be the new one waits until the next message decides.
 */
export function createEchoFilter(sent: readonly SentMessage[]) {
  const ids = new Set(sent.map(({ id }) => id));
  const earlier = sent.filter(({ role }) => role === 'assistant').map(({ text }) => text.trim());
  const waiting: Message[] = [];
  let hasBegun = earlier.length === 0;
  const dropped = new Set<string>();

  /** Whether a message may be one of the earlier answers. */
  const mayBeEarlier = (message: Message): boolean =>
    !hasBegun &&
    message.author?.role === 'assistant' &&
    (message.recipient ?? 'all') === 'all' &&
    isFinished(message) &&
    !madeTypes.has(message.metadata?.message_type ?? '');

  const isEarlier = (message: Message): boolean => earlier.includes(textOf(message.content).trim());

  /** The answer has begun: what waits is part of it, unless it is an earlier one word for word. */
  const release = (): readonly Message[] => {
    hasBegun = true;
    const messages = waiting.splice(0);
    const echoes = messages.filter(isEarlier);
    for (const { id } of echoes) if (id !== undefined) dropped.add(id);
    return messages.filter((message) => !echoes.includes(message));
  };

  return {
    /** Whether a message is certainly part of the answer: then it need not be pushed. */
    isPast: ({ id }: Message): boolean => hasBegun && (id === undefined || !(ids.has(id) || dropped.has(id))),
    /** The messages that are part of the answer, now that this one came. */
    push(message: Message): readonly Message[] {
      const { id } = message;
      if (id !== undefined && (ids.has(id) || dropped.has(id))) return [];
      if (hasBegun) return [message];
      const role = message.author?.role;
      if (role === 'user' || role === 'system' || role === 'developer') {
        // What came before an echo is an echo too.
        if (role === 'user') for (const each of waiting.splice(0)) if (each.id) dropped.add(each.id);
        return [message];
      }
      const index = waiting.findIndex((each) => each.id === id);
      if (index >= 0) {
        waiting[index] = message;
        return [];
      }
      if (mayBeEarlier(message)) {
        waiting.push(message);
        return [];
      }
      return [...release(), message];
    },
    /** The stream is over: if nothing else came, what waits is the answer. */
    end(): readonly Message[] {
      if (hasBegun) return [];
      const last = waiting.at(-1);
      const messages = release();
      return messages.length > 0 || last === undefined ? messages : [last];
    },
  };
}
