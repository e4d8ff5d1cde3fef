import { createSseReader, type SseEvent } from '../../openai/sse.ts';
import type { Segment } from '../../segments/segment.ts';
import { createDecoder, type Decoded, unreadable } from './decode/decode.ts';
import type { ConfirmBody, Message } from './decode/message.ts';
import { drawingTools } from './reduce/classify.ts';
import { createEchoFilter, type SentMessage } from './reduce/echo.ts';
import { createFinalReducer } from './reduce/final-reducer.ts';
import { createReducer } from './reduce/reduce.ts';
import { isResult } from './reduce/results.ts';
import { createVariantFilter } from './reduce/variants.ts';

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
  /** It ended properly, and said nothing. */
  | 'empty'
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
  /** Whether the upstream handed the answer over to a request that resumes it. */
  offersResume: boolean;
  /** With this the stream can be asked for again. A secret: never log it. */
  resumeToken: string | null;
  confirmation: Confirmation | null;
  outcome: Outcome;
};

export type TurnOptions = {
  /** Whether the answer is not streamed: then every text is the upstream's last version of it. */
  readonly isWhole?: boolean;
  /** The messages of the request. */
  readonly sent?: readonly SentMessage[];
};

/** How much of a body is kept that may be an error instead of a stream, in characters. */
const maxLeading = 16_384;

/** What a GPT's action wants to do, and the message that says so. */
export type Confirmation = { readonly messageId: string; readonly tool: string; readonly body: ConfirmBody };

/**
 * Reads one turn: bytes of the stream, or events that came another way, to segments. After a
 * stream's end `state.outcome` says what to do next; `resume` prepares for the next stream of the
 * same turn.
 */
export function createTurnReader({ isWhole = false, sent = [] }: TurnOptions = {}) {
  const reducer = isWhole ? createFinalReducer() : createReducer();
  const echoes = createEchoFilter(sent);
  const variants = createVariantFilter();
  let sse = createSseReader();
  let decoder = createDecoder();
  let ended = false;
  let done = false;
  /** Whether work began whose result has not come. */
  let isPending = false;
  let leading = '';
  let isStream = false;
  const state: TurnState = {
    conversationId: null,
    messageId: null,
    model: null,
    topic: null,
    offersResume: false,
    resumeToken: null,
    confirmation: null,
    outcome: 'broken',
  };
  let failure: Extract<Segment, { kind: 'error' }> | null = null;
  let handoff = false;
  let blocked = false;
  let cut = false;

  /** Learns from a message how the turn goes. */
  const follow = (message: Message): void => {
    const { metadata, author, id } = message;
    const recipient = message.recipient ?? 'all';
    if (author?.role === 'assistant') {
      if (metadata?.model_slug) state.model = metadata.model_slug;
      // A picture is drawn: an answer that ends without one has it still to come.
      if (recipient !== 'all') isPending ||= drawingTools.test(recipient);
      else {
        if (id) state.messageId = id;
        if (message.status !== 'in_progress') {
          if (message.end_turn === true) ended = true;
          if (metadata?.finish_details) cut = metadata.finish_details.type === 'max_tokens';
          if (message.status === 'finished_partial_completion') cut = true;
        }
      }
    }
    if (metadata?.image_gen_task_id || metadata?.image_gen_async === true) isPending = true;
    if (isPending && isResult(message)) isPending = false;
    const request = metadata?.jit_plugin_data?.from_server;
    if (request?.type === 'confirm_action' && id && request.body)
      state.confirmation = { messageId: id, tool: author?.name ?? '', body: request.body };
  };

  const takeMessage = (message: Message, appended: string | null): Segment[] => {
    if (!variants.keeps(message)) return [];
    follow(message);
    return reducer.push(message, appended);
  };

  const take = (decoded: Decoded): Segment[] => {
    if (done || blocked || failure) return [];
    switch (decoded.kind) {
      case 'message': {
        if (echoes.isPast(decoded.message)) return takeMessage(decoded.message, decoded.appended);
        return echoes.push(decoded.message).flatMap((message) => takeMessage(message, null));
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
        state.offersResume = decoded.offersResume;
        return [];
      case 'async':
        // What is over does not go on in the background.
        isPending ||= !ended;
        return [];
      case 'variants':
        variants.activate();
        return [];
      case 'resume':
        state.resumeToken = decoded.token;
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
      // Nothing counts after the end, not even for messages that grow in place.
      if (done || blocked || failure) break;
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
    if (isPending) return 'background';
    if (ended) return 'whole';
    if (!done) return 'broken';
    return reducer.hasShown() ? 'whole' : 'empty';
  };

  /** A body that is JSON although its type said stream: the error is in it. */
  const readAsError = (): void => {
    if (isStream || !leading.startsWith('{')) return;
    const [decoded] = decoder.push({ event: null, data: leading });
    if (decoded) take(decoded);
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
    /** The stream has ended: what was held back, and the error that it reported. */
    end(): Segment[] {
      // An event that the end cut off is no wrong event: the stream is broken.
      const segments = read(sse.end(), true);
      for (const message of failure || blocked ? [] : echoes.end())
        segments.push(...takeMessage(message, null));
      if (!done && !ended && !failure) readAsError();
      state.outcome = outcome();
      return failure ? [...segments, ...reducer.end(), failure] : segments;
    },
    /** What was held back, for a turn that goes no further. */
    flush: (): Segment[] => reducer.end(),
    /**
     * Prepares for another stream of the turn; `continued` if it goes on in the middle of the text.
     */
    resume(continued: boolean): void {
      sse = createSseReader();
      decoder = createDecoder();
      ended = done = isPending = handoff = cut = false;
      leading = '';
      isStream = false;
      state.confirmation = null;
      state.topic = null;
      state.offersResume = false;
      if (continued) reducer.continued();
    },
  };
}

export type TurnReader = ReturnType<typeof createTurnReader>;
