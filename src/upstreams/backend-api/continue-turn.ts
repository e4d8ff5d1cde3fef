import { type Failure, toFailure } from '../../http/failure.ts';
import type { Ports } from '../../ports/ports.ts';
import type { ByteSource } from './byte-source.ts';
import type { Client } from './client.ts';
import { type ConversationOptions, composeConfirm, composeContinue } from './compose.ts';
import { type RecoverCounts, type RecoverOptions, recoverSource } from './recover.ts';
import { openSource } from './source.ts';
import type { TurnReader } from './turn.ts';

/** How a turn is continued after a stream ended. */
export type ContinueOptions = ConversationOptions &
  RecoverOptions & {
    /** How often an answer that was cut for length is asked to go on. */
    readonly continueRounds: number;
    readonly allowActions: boolean;
    /** Milliseconds for which events gather before they are read; 0 to read each as it comes. */
    readonly gatherMs: number;
  };

/** How often a turn was continued in each way. */
export type TurnCounts = RecoverCounts & { continued: number; confirmed: number };

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
  counts: TurnCounts,
): Promise<NextSource> {
  const { outcome, conversationId, messageId, confirmation } = reader.state;
  const { allow, gatherMs } = options;
  if (conversationId === null) return null;
  const open = async (payload: unknown, continued: boolean): Promise<ByteSource> => {
    const response = await client.conversation(payload, signal);
    reader.resume(continued);
    return openSource(response, client, { ports, allow, gatherMs }, signal);
  };
  switch (outcome) {
    case 'cut': {
      if (messageId === null || counts.continued++ >= options.continueRounds || options.historyDisabled)
        return null;
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
      if (!confirmation || !options.allowActions || counts.confirmed++ >= maxConfirmations) return null;
      const payload = composeConfirm(conversationId, confirmation, options);
      return payload ? open(payload, false) : null;
    }
    case 'handoff':
    case 'background':
    case 'broken':
      return recoverSource(reader, conversationId, client, options, ports, signal, counts);
    default:
      return null;
  }
}

/** Whether a continuation was refused. */
export function isRefusal(next: Exclude<NextSource, null>): next is { readonly refusal: Failure } {
  return 'refusal' in next;
}
