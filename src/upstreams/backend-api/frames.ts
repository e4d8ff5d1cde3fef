import { Failure } from '../../http/failure.ts';
import { fromBase64 } from '../../streams/bytes.ts';

/** What a frame of a socket holds for one answer. */
export type Framed = {
  /** Bytes of the answer's event stream, in order. */
  readonly bytes: readonly Uint8Array[];
  /** Messages to send back, so that the socket stays open. */
  readonly replies: readonly string[];
  /** Whether the answer is over. */
  readonly over: boolean;
};

/** Which answer of a shared socket is read. Null matches any. */
export type FrameFilter = {
  readonly conversationId: string | null;
  readonly responseId: string | null;
  readonly topic: string | null;
};

type Fields = Readonly<Record<string, unknown>>;

/** Reliable frames between two acknowledgements. The server closes the socket near a thousand. */
const acknowledgeEvery = 50;

/** Most items of a topic that are remembered. */
const maxItems = 500_000;
/** Longest id of an item that is remembered, in characters. */
const maxIdLength = 200;

/**
 * Turns frames of the three generations of sockets into the bytes of one answer. Flat frames hold
 * base64 of the event stream. Reliable ones wrap them and need acknowledgements. Topics hold the
 * stream's text, and repeat items in catch-ups, so each item counts once.
 */
export function createFrameReader(filter: FrameFilter) {
  const encoder = new TextEncoder();
  const items = new Set<string>();
  let unacknowledged = 0;

  const flat = (frame: Fields, out: { bytes: Uint8Array[]; over: boolean }): void => {
    if (frame.type !== 'http.response.body') return;
    const differs = (wanted: string | null, actual: unknown) =>
      wanted !== null && typeof actual === 'string' && actual !== wanted;
    if (differs(filter.conversationId, frame.conversation_id)) return;
    if (differs(filter.responseId, frame.response_id)) return;
    if (typeof frame.body === 'string' && frame.body !== '') out.bytes.push(bytesOf(frame.body));
    if (frame.more_body === false) out.over = true;
  };

  const topic = (frame: Fields, out: { bytes: Uint8Array[]; over: boolean }, isCatchup = false): void => {
    if (filter.topic !== null && typeof frame.topic_id === 'string' && frame.topic_id !== filter.topic)
      return;
    if (frame.type === 'reply') {
      const { catchups } = (frame.reply ?? {}) as Fields;
      // A catch-up holds no catch-ups: following them would make the depth the upstream's choice.
      if (!isCatchup && Array.isArray(catchups))
        for (const each of framesIn(catchups)) topic(each, out, true);
      return;
    }
    const payload = (frame.payload ?? {}) as Fields;
    if (payload.type === 'conversation-turn-complete') out.over = true;
    const item = (payload.payload ?? {}) as Fields;
    if (item.type !== 'stream-item' || typeof item.encoded_item !== 'string') return;
    const id = String(item.stream_item_id ?? '');
    if (id !== '' && id.length <= maxIdLength) {
      if (items.has(id)) return;
      if (items.size >= maxItems)
        throw new Failure('upstream_error', 'The answer of the upstream has too many pieces.');
      items.add(id);
    }
    out.bytes.push(encoder.encode(item.encoded_item));
  };

  return {
    /** Reads one frame. Throws a failure beyond the limits. */
    push(text: string): Framed {
      const out: { bytes: Uint8Array[]; over: boolean } = { bytes: [], over: false };
      const replies: string[] = [];
      const value = parsed(text);
      for (const frame of framesIn(value)) {
        if (typeof frame.sequenceId === 'number' && ++unacknowledged >= acknowledgeEvery) {
          unacknowledged = 0;
          replies.push(JSON.stringify({ type: 'sequenceAck', sequenceId: frame.sequenceId }));
        }
        const inner =
          frame.type === 'message' && typeof frame.data === 'object' && frame.data !== null
            ? (frame.data as Fields)
            : frame;
        flat(inner, out);
        if (inner === frame) topic(frame, out);
      }
      return { ...out, replies };
    },
  };
}

function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}

/** The bytes of a frame; none if they are not base64. */
function bytesOf(text: string): Uint8Array {
  try {
    return fromBase64(text);
  } catch {
    return new Uint8Array();
  }
}

/** One frame, or a list of them. */
function framesIn(value: unknown): Fields[] {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  return list.filter((frame): frame is Fields => typeof frame === 'object' && frame !== null);
}
