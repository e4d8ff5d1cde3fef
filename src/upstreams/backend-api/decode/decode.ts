import type { SseEvent } from '../../../openai/sse.ts';
import { createDeltaDecoder, type Delta } from './delta.ts';
import type { Message } from './message.ts';
import { createSnapshotParser } from './suffix.ts';

/** What an event of the conversation stream says, in either encoding. */
export type Decoded =
  /** A message as it is now. `appended` is the text it gained, if that is all that changed. */
  | { readonly kind: 'message'; readonly message: Message; readonly appended: string | null }
  | { readonly kind: 'conversation'; readonly id: string }
  | { readonly kind: 'blocked' }
  | { readonly kind: 'error'; readonly message: string; readonly code: string | null }
  /** Several answers come at once, to be compared. */
  | { readonly kind: 'variants' }
  /** With this the stream can be asked for again. A secret: it is never logged. */
  | { readonly kind: 'resume'; readonly token: string }
  /** The answer goes on elsewhere: on a WebSocket topic, or by another request. */
  | { readonly kind: 'handoff'; readonly topic: string | null; readonly offersResume: boolean }
  /** The work goes on in the background; its result must be asked for. */
  | { readonly kind: 'async' }
  | { readonly kind: 'complete' }
  | { readonly kind: 'done' };

/** The code of an event that could not be read. */
export const unreadable = 'unreadable_event';

/**
 * Events → messages: cumulative snapshots (v0) and delta streams (v1) become the same thing. Both
 * are taken in either mode, as they come. Pings, titles, telemetry and unknown events are nothing.
 * Throws nothing: data that cannot be read is an `error`.
 */
export function createDecoder() {
  const deltas = createDeltaDecoder();
  const snapshot = createSnapshotParser();
  let conversation: string | null = null;

  const setConversation = (id: unknown, out: Decoded[]): void => {
    if (typeof id !== 'string' || id === conversation) return;
    conversation = id;
    out.push({ kind: 'conversation', id });
  };

  const document = (value: Record<string, unknown>, appended: string | null, out: Decoded[]): void => {
    setConversation(value.conversation_id, out);
    if (value.error) out.push(failed(value.error, value.error_code));
    const { message } = value;
    if (typeof message === 'object' && message !== null)
      out.push({ kind: 'message', message: message as Message, appended });
  };

  const typed = (value: Record<string, unknown>, out: Decoded[]): void => {
    setConversation(value.conversation_id, out);
    switch (value.type) {
      case 'message_stream_complete':
        out.push({ kind: 'complete' });
        break;
      case 'num_variants_in_stream':
        if (Number(value.num_variants_in_stream) > 1) out.push({ kind: 'variants' });
        break;
      case 'resume_conversation_token':
        if (typeof value.token === 'string' && value.kind !== 'topic')
          out.push({ kind: 'resume', token: value.token });
        break;
      case 'stream_handoff':
        out.push({ kind: 'handoff', ...waysIn(value.options) });
        break;
      case 'conversation_async_status':
        out.push({ kind: 'async' });
        break;
      case 'error':
        out.push(failed(value.error ?? value, value.error_code));
        break;
    }
  };

  const read = (event: SseEvent, out: Decoded[]): void => {
    const { event: value, appended } = snapshot(event.data);
    if (event.event === 'delta_encoding') {
      if (value !== 'v1')
        out.push({
          kind: 'error',
          message: `The upstream answers in an unknown encoding (${String(value).slice(0, 20)}).`,
          code: null,
        });
      return;
    }
    if (typeof value !== 'object' || value === null) return;
    const fields = value as Record<string, unknown>;
    const moderation = fields.moderation_response as { blocked?: unknown } | undefined;
    if (moderation) {
      setConversation(fields.conversation_id, out);
      if (moderation.blocked === true) out.push({ kind: 'blocked' });
    } else if ('message' in fields && !('v' in fields)) document(fields, appended, out);
    else if (typeof fields.type === 'string') typed(fields, out);
    else if ('v' in fields || 'o' in fields || 'p' in fields) {
      const applied = deltas.push(fields as Delta);
      if (applied.document) document(applied.document as Record<string, unknown>, applied.appended, out);
    } else if ('error' in fields || 'detail' in fields)
      out.push(failed(fields.error ?? fields.detail, fields.error_code));
  };

  return {
    push(event: SseEvent): Decoded[] {
      const out: Decoded[] = [];
      if (event.event === 'ping') return out;
      const data = event.data.trim();
      if (data === '[DONE]') return [{ kind: 'done' }];
      if (data === '') return out;
      if (event.event === 'delta_encoding' && data === 'v1') return out;
      try {
        read(event, out);
      } catch {
        out.push({
          kind: 'error',
          message: 'The upstream sent an event that is not JSON.',
          code: unreadable,
        });
      }
      return out;
    },
  };
}

/**
 * An error in any of the shapes it comes in: text, or an object with a message, a description, a
 * detail.
 */
function failed(error: unknown, code: unknown): Decoded {
  const fields = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>;
  const words = [error, fields.message, fields.description, fields.detail].find(
    (value) => typeof value === 'string' && value !== '',
  );
  return {
    kind: 'error',
    message: typeof words === 'string' ? words : 'The upstream reported an error without words.',
    code: ([code, fields.code].find((value) => typeof value === 'string') as string | undefined) ?? null,
  };
}

/** The ways in which an answer goes on: on a topic, or by a request that resumes the stream. */
function waysIn(options: unknown): { topic: string | null; offersResume: boolean } {
  const list: unknown[] = Array.isArray(options) ? options : [];
  const find = (type: string) =>
    list.find((option) => (option as { type?: unknown } | null)?.type === type) as
      | { readonly topic_id?: unknown }
      | undefined;
  const topic = find('subscribe_ws_topic')?.topic_id;
  return {
    topic: typeof topic === 'string' ? topic : null,
    offersResume: find('resume_sse_endpoint') !== undefined,
  };
}
