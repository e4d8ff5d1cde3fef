import { createSseReader, type SseEvent } from '../../openai/sse.ts';
import type { Segment } from '../../segments/segment.ts';
import { createDecoder, type Decoded, unreadable } from './decode/decode.ts';
import type { ConfirmBody, Message } from './decode/message.ts';
import { createReducer } from './reduce/reduce.ts';

/** What became of a stream once it ended. */
export type Outcome =
  /** The answer is whole. */
  | 'whole'
  /** It was cut for length, and may be asked to go on. */
  | 'cut'
  /** Moderation stopped it. */
  | 'blocked'
  /** A GPT's action waits for a yes or no. */
  | 'confirmation'
  /** The answer goes on on a socket, or by another request. */
  | 'handoff'
  /** The work goes on in the background, and its result must be asked for. */
  | 'background'
  /** The upstream said that something went wrong. */
  | 'failed'
  /** It ended before it was over. */
  | 'broken';

/** What is known of a turn, as it goes and after it. */
export type TurnState = {
  conversationId: string | null;
  /** The last message of the assistant: what an answer that goes on goes on from. */
  messageId: string | null;
  /** The model that really answered. */
  model: string | null;
  topic: string | null;
  confirmation: Confirmation | null;
  outcome: Outcome;
};

/** How much of a body is kept that may be an error instead of a stream, in characters. */
const maxLeading = 16_384;

const drawingTools = /^(dalle\.|t2uay3k\.|image_gen\.)/;

/** What a GPT's action asks, and the message that asks it. */
export type Confirmation = { readonly messageId: string; readonly tool: string; readonly body: ConfirmBody };

/**
 * Reads one turn: bytes of the stream, or events that came another way, to segments. After a stream's end `state.outcome` says
 * what to do next; `resume` makes it ready for the next stream of the same turn.
 */
export function createTurnReader() {
  const reducer = createReducer();
  let sse = createSseReader();
  let decoder = createDecoder();
  let ended = false;
  let done = false;
  let background = false;
  let shown = false;
  let leading = '';
  let isStream = false;
  const state: TurnState = {
    conversationId: null,
    messageId: null,
    model: null,
    topic: null,
    confirmation: null,
    outcome: 'broken',
  };
  let failure: Extract<Segment, { kind: 'error' }> | null = null;
  let handoff = false;
  let blocked = false;
  let cut = false;

  const note = (message: Message): void => {
    const { metadata, author, id } = message;
    if (author?.role === 'assistant') {
      if (id && (message.recipient ?? 'all') === 'all') state.messageId = id;
      if (metadata?.model_slug) state.model = metadata.model_slug;
      // A picture was asked for: an answer that ends without one has it still to come.
      if (drawingTools.test(message.recipient ?? '')) background = true;
      const isAnswer = (message.recipient ?? 'all') === 'all' && message.status !== 'in_progress';
      if (isAnswer && message.end_turn === true) ended = true;
      if (isAnswer && metadata?.finish_details) cut = metadata.finish_details.type === 'max_tokens';
      if (isAnswer && message.status === 'finished_partial_completion') cut = true;
    }
    if (metadata?.image_gen_task_id || metadata?.image_gen_async === true) background = true;
    const asked = metadata?.jit_plugin_data?.from_server;
    if (asked?.type === 'confirm_action' && id && asked.body) {
      state.confirmation = { messageId: id, tool: author?.name ?? '', body: asked.body };
    }
  };

  const take = (decoded: Decoded): Segment[] => {
    if (done || blocked || failure) return [];
    switch (decoded.kind) {
      case 'message': {
        note(decoded.message);
        const segments = reducer.push(decoded.message, decoded.appended);
        shown ||= segments.some((segment) => segment.kind === 'text' || segment.kind === 'image');
        return segments;
      }
      case 'conversation':
        state.conversationId = decoded.id;
        return [];
      case 'blocked':
        blocked = true;
        return [];
      case 'error':
        failure = { kind: 'error', message: decoded.message, code: decoded.code };
        return [];
      case 'handoff':
        handoff = true;
        state.topic = decoded.topic;
        return [];
      case 'async':
        background = true;
        return [];
      case 'done':
        done = true;
        return [];
      default:
        return [];
    }
  };

  const read = (events: readonly SseEvent[], atEnd = false): Segment[] => {
    const segments: Segment[] = [];
    for (const event of events) {
      for (const decoded of decoder.push(event)) {
        const isCutOff = atEnd && decoded.kind === 'error' && decoded.code === unreadable;
        if (!isCutOff) segments.push(...take(decoded));
      }
    }
    return segments;
  };

  const outcome = (): Outcome => {
    if (failure) return 'failed';
    if (blocked) return 'blocked';
    if (state.confirmation && !ended) return 'confirmation';
    if (handoff && !ended) return 'handoff';
    if (cut) return 'cut';
    if (background && !shown) return 'background';
    if (ended) return 'whole';
    return done && shown ? 'whole' : 'broken';
  };

  /** A body that is JSON although its type said stream: the error is in it. */
  const notAStream = (): void => {
    if (isStream || !leading.startsWith('{')) return;
    try {
      const [decoded] = decoder.push({ event: null, data: leading });
      if (decoded) take(decoded);
    } catch {
      // It is neither: the stream counts as broken.
    }
  };

  return {
    state: state as Readonly<TurnState>,
    push(bytes: Uint8Array): Segment[] {
      const events = sse.push(bytes);
      // Only what comes before any event can be a body that is no stream.
      isStream ||= events.length > 0;
      if (!isStream && leading.length < maxLeading) leading += new TextDecoder().decode(bytes).trim();
      return read(events);
    },
    /** The stream has ended: what was held back, what is told last, and what went wrong. */
    end(): Segment[] {
      // An event that the end cut off is no wrong event: the stream is broken, and told so below.
      const segments = read(sse.end(), true);
      if (!done && !ended && !failure) notAStream();
      state.outcome = outcome();
      if (state.outcome !== 'failed' && state.outcome !== 'broken') return segments;
      segments.push(...reducer.end());
      if (failure) segments.push(failure);
      if (state.outcome === 'broken') {
        segments.push({
          kind: 'error',
          message: done
            ? 'The upstream ended its answer without saying anything.'
            : 'The upstream broke off in the middle of its answer. What came before is incomplete.',
          code: 'upstream_error',
        });
      }
      return segments;
    },
    /** What was held back, for a turn that goes no further. */
    flush: (): Segment[] => reducer.end(),
    /** Makes ready for another stream of the same turn; `continued` where it goes on in the middle of the text. */
    resume(continued: boolean): void {
      sse = createSseReader();
      decoder = createDecoder();
      ended = done = background = handoff = cut = false;
      leading = '';
      isStream = false;
      state.confirmation = null;
      state.topic = null;
      if (continued) reducer.continued();
    },
  };
}

export type TurnReader = ReturnType<typeof createTurnReader>;
