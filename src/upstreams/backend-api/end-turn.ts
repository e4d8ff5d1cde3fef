import { type Failure, toFailure } from '../../http/failure.ts';
import type { Ports } from '../../ports/ports.ts';
import type { FinishReason, Segment } from '../../segments/segment.ts';
import type { Client } from './client.ts';
import type { Outcome, TurnReader } from './turn.ts';

const finishReasons: Partial<Record<Outcome, FinishReason>> = {
  whole: 'stop',
  cut: 'length',
  blocked: 'content_filter',
  confirmation: 'stop',
};

/**
 * The last segments of a turn: what its outcome means to the reader. `refusal` is why an answer
 * that was cut could not be continued.
 */
export function lastSegments(reader: TurnReader, refusal: Failure | null): readonly Segment[] {
  const { outcome, confirmation } = reader.state;
  const held = reader.flush();
  const reason = finishReasons[outcome];
  const finish: Segment[] = reason === undefined ? [] : [{ kind: 'finish', reason }];
  switch (outcome) {
    case 'cut': {
      if (refusal === null) return [...held, ...finish];
      const text = `the answer was cut for length, and could not be continued: ${refusal.message}`;
      return [...held, { kind: 'notice', text }, ...finish];
    }
    case 'confirmation': {
      const site = confirmation?.body.domain ?? 'a site';
      const text = `this GPT wants to act at ${site}, and asks first. The gateway's setting ALWAYS_ALLOW_ACTIONS lets it.`;
      return [...held, { kind: 'notice', text }, ...finish];
    }
    case 'background': {
      const message =
        'The upstream works on its answer in the background, and was not ready in time. BACKGROUND_TIMEOUT sets how long to wait.';
      return [...held, { kind: 'error', message, code: 'upstream_timeout' }];
    }
    case 'empty': {
      const message = 'The upstream ended its answer without saying anything.';
      return [...held, { kind: 'error', message, code: 'upstream_error' }];
    }
    case 'broken': {
      const message = 'The upstream broke off in the middle of its answer. What came before is incomplete.';
      return [...held, { kind: 'error', message, code: 'upstream_error' }];
    }
    case 'handoff': {
      const message = 'The upstream goes on with its answer where it cannot be followed.';
      return [...held, { kind: 'error', message, code: 'upstream_error' }];
    }
    default:
      // If the turn failed, the reader has given the error already.
      return [...held, ...finish];
  }
}

/** The error that ends an answer. */
export function errorSegment({ message, code }: Failure): Segment {
  return { kind: 'error', message, code };
}

export type TidyOptions = {
  readonly conversationId: string | null;
  /** Whether the upstream may still be writing the answer, and should not. */
  readonly stop: boolean;
  readonly hide: boolean;
};

/** Ends what still runs at the upstream, and hides the conversation. Failures are logged. */
export async function tidyUp(
  client: Pick<Client, 'stop' | 'hide'>,
  { conversationId, stop, hide }: TidyOptions,
  ports: Pick<Ports, 'log'>,
): Promise<void> {
  if (conversationId === null) return;
  const logged = (message: string) => (error: unknown) =>
    ports.log('warn', message, { error: toFailure(error).message });
  if (stop) await client.stop(conversationId).catch(logged('a conversation could not be stopped'));
  if (hide) await client.hide(conversationId).catch(logged('a conversation could not be hidden'));
}
