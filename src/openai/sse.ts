/** One event of a stream (WHATWG HTML §9.2.6): its name, if it has one, and its data. */
export type SseEvent = { readonly event: string | null; readonly data: string };

/**
 * Longest line, and longest event, in characters. A picture in base64 is one line of a few million.
 */
const maxLine = 64 * 1024 * 1024;

/**
 * Bytes → events, whatever the cuts: streaming UTF-8, line ends LF, CR and CRLF in any mix, a byte
 * order mark, comments. Linear: a line that arrives in many pieces is joined once, and so are the
 * lines of an event. Throws beyond `limit` characters in a line or in the data of an event.
 */
export function createSseReader(limit = maxLine) {
  // The mark is removed below: Node's decoder forgets that it removed it when the input is cut.
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let begun = false;
  let pieces: string[] = [];
  let held = 0;
  let afterReturn = false;
  let name: string | null = null;
  let data: string | null = null;

  const line = (text: string, out: SseEvent[]): void => {
    if (text === '') {
      if (data !== null) out.push({ event: name, data });
      name = null;
      data = null;
      return;
    }
    const colon = text.indexOf(':');
    if (colon === 0) return;
    const field = colon < 0 ? text : text.slice(0, colon);
    const value = colon < 0 ? '' : text.slice(text.charCodeAt(colon + 1) === 32 ? colon + 2 : colon + 1);
    if (field === 'data') {
      if ((data?.length ?? 0) + value.length > limit)
        throw new Error(`an event of the event stream is longer than ${limit} characters`);
      data = data === null ? value : `${data}\n${value}`;
    } else if (field === 'event') name = value;
  };

  const feed = (text: string, out: SseEvent[]): void => {
    if (text === '') return;
    let start = afterReturn && text.charCodeAt(0) === 10 ? 1 : 0;
    if (!begun && text.charCodeAt(0) === 0xfeff) start = 1;
    begun = true;
    afterReturn = false;
    let feedAt = text.indexOf('\n', start);
    let returnAt = text.indexOf('\r', start);
    while (feedAt >= 0 || returnAt >= 0) {
      const isReturn = returnAt >= 0 && (feedAt < 0 || returnAt < feedAt);
      const end = isReturn ? returnAt : feedAt;
      const rest = text.slice(start, end);
      if (pieces.length === 0) line(rest, out);
      else {
        pieces.push(rest);
        line(pieces.join(''), out);
        pieces = [];
        held = 0;
      }
      start = end + 1;
      if (isReturn) {
        if (start === text.length) afterReturn = true;
        else if (text.charCodeAt(start) === 10) start++;
        returnAt = text.indexOf('\r', start);
      }
      if (feedAt >= 0 && feedAt < start) feedAt = text.indexOf('\n', start);
    }
    if (start === text.length) return;
    held += text.length - start;
    if (held > limit) throw new Error(`a line of the event stream is longer than ${limit} characters`);
    pieces.push(text.slice(start));
  };

  return {
    push(bytes: Uint8Array): SseEvent[] {
      const out: SseEvent[] = [];
      feed(decoder.decode(bytes, { stream: true }), out);
      return out;
    },
    /** The last event may lack its blank line, and the last line its end. */
    end(): SseEvent[] {
      const out: SseEvent[] = [];
      feed(`${decoder.decode()}\n\n`, out);
      return out;
    },
  };
}

/** The events of a body, as they come. Leaving cancels the body. Throws if it breaks off. */
export async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<SseEvent> {
  const reader = body.getReader();
  const events = createSseReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      yield* done ? events.end() : events.push(value);
      if (done) return;
    }
  } finally {
    // Not awaited: a silent body would not answer.
    void reader.cancel().catch(() => {});
  }
}
