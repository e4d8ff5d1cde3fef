import { type Failure, toFailure } from '../../http/failure.ts';
import type { Ports } from '../../ports/ports.ts';
import { storedAnswer } from './background.ts';
import type { Client } from './client.ts';
import { type ConversationOptions, composeConfirm, composeContinue } from './compose.ts';
import { listen, topicHello } from './socket.ts';
import { type ByteSource, openSource, storedSource } from './source.ts';
import type { TurnReader } from './turn.ts';

/** How a turn is continued after a stream ended. */
export type ContinueOptions = ConversationOptions & {
  /** How often an answer that was cut for length is asked to go on. */
  readonly continueRounds: number;
  readonly allowActions: boolean;
  /** Private hosts, as `host:port`, that the upstream may name a socket at. */
  readonly allow: ReadonlySet<string>;
};

/** What comes after a stream: another one, the refusal to give one, or null if the turn is over. */
export type NextSource = ByteSource | { readonly refusal: Failure } | null;

/** Most actions of a GPT that are confirmed in one turn. */
const maxConfirmations = 8;

/** Opens the stream in which the turn goes on, and makes the reader ready for it. */
export async function nextSource(
  reader: TurnReader,
  client: Client,
  options: ContinueOptions,
  ports: Pick<Ports, 'http' | 'log'>,
  signal: AbortSignal,
  round: number,
): Promise<NextSource> {
  const { outcome, conversationId, messageId, confirmation, topic } = reader.state;
  const { allow } = options;
  if (conversationId === null) return null;
  const open = async (payload: unknown, continued: boolean): Promise<ByteSource> => {
    const response = await client.conversation(payload, signal);
    reader.resume(continued);
    return openSource(response, client, { ports, allow }, signal);
  };
  switch (outcome) {
    case 'cut': {
      if (messageId === null || round >= options.continueRounds || options.historyDisabled) return null;
      const payload = composeContinue(conversationId, messageId, options);
      return open(payload, true).catch((error: unknown) => {
        // The first part is an answer already: it is kept, and its reader learns why it ends there.
        const refusal = toFailure(error);
        if (!signal.aborted)
          ports.log('warn', 'the upstream refused to continue an answer', { error: refusal.message });
        return { refusal };
      });
    }
    case 'confirmation': {
      if (!confirmation || !options.allowActions || round >= maxConfirmations) return null;
      const payload = composeConfirm(conversationId, confirmation, options);
      return payload ? open(payload, false) : null;
    }
    case 'handoff': {
      if (topic === null) {
        const messages = await storedAnswer(client, conversationId, signal);
        if (!messages) return null;
        reader.resume(false);
        return storedSource(messages, conversationId);
      }
      reader.resume(false);
      const url = await client.topicSocketUrl(signal);
      const filter = { conversationId: null, responseId: null, topic };
      return listen(ports.http, { url, allow, filter, hello: topicHello(topic) });
    }
    default:
      return null;
  }
}

/** Whether a continuation was refused. */
export function isRefusal(next: Exclude<NextSource, null>): next is { readonly refusal: Failure } {
  return 'refusal' in next;
}
