/**
 * What is on the wire in a story, what the caller gets, since which year; and the events
 * themselves.
 */
export type WireStory = {
  readonly wire: string;
  readonly gets: string;
  readonly since: number;
  /** Messages as they are at a time, and events of other types. */
  readonly events: readonly WireEvent[];
};

export type WireEvent = Readonly<Record<string, unknown>>;

type More = {
  readonly name?: string;
  readonly recipient?: string;
  readonly channel?: string;
  readonly content_type?: string;
  readonly content?: object;
  readonly status?: string;
  /** Whether the message is finished and ends the turn. */
  readonly ends?: boolean;
  readonly references?: readonly object[];
  readonly metadata?: object;
};

/** A message as it is at a time. */
export function message(id: string, role: string, text: string, more: More = {}): WireEvent {
  const type = more.content_type ?? 'text';
  const content = more.content ?? {
    content_type: type,
    ...(type === 'text' ? { parts: [text] } : { language: 'unknown', text }),
  };
  return {
    message: {
      id,
      author: { role, name: more.name ?? null, metadata: {} },
      content,
      status: more.ends ? 'finished_successfully' : (more.status ?? 'in_progress'),
      end_turn: more.ends === true ? true : null,
      metadata: {
        ...(role === 'assistant' ? { message_type: 'next' } : {}),
        ...(more.references ? { content_references: more.references } : {}),
        ...more.metadata,
      },
      recipient: more.recipient ?? 'all',
      channel: more.channel ?? null,
    },
  };
}

/** A marker: what kind it is, and what it names. */
export function cite(id: string, kind = 'cite'): string {
  return `\uE200${kind}\uE202${id}\uE201`;
}

/** The reference of a marker. */
export function reference(id: string, more: object, kind = 'cite'): object {
  return { matched_text: cite(id, kind), ...more };
}

/** The events as the lines of a stream, cumulative or as deltas. */
export function* encodeWire(
  events: readonly WireEvent[],
  conversationId: string,
  encoding: 'v0' | 'v1',
): Generator<string> {
  const line = (value: object, name = '') => `${name}data: ${JSON.stringify(value)}\n\n`;
  if (encoding === 'v1') yield 'event: delta_encoding\ndata: "v1"\n\n';
  const channels = new Map<string, { channel: number; last: Snapshot }>();
  for (const event of events) {
    const snapshot = event.message as Snapshot | undefined;
    if (!snapshot) yield line({ ...event, conversation_id: conversationId });
    else if (encoding === 'v0') yield line({ ...event, conversation_id: conversationId, error: null });
    else {
      const known = channels.get(snapshot.id);
      const channel = known?.channel ?? channels.size;
      channels.set(snapshot.id, { channel, last: snapshot });
      const document = { message: snapshot, conversation_id: conversationId, error: null };
      yield known
        ? line({ c: channel, p: '', o: 'patch', v: changes(known.last, snapshot) }, 'event: delta\n')
        : line({ p: '', o: 'add', v: document, c: channel }, 'event: delta\n');
    }
  }
  yield 'data: [DONE]\n\n';
}

type Snapshot = {
  readonly id: string;
  readonly content: { readonly parts?: readonly unknown[] };
  readonly metadata: object;
  readonly status: string;
  readonly end_turn: boolean | null;
};

/** What makes the later snapshot of the earlier one. */
function changes(from: Snapshot, to: Snapshot): object[] {
  const path = '/message/content/parts/0';
  const [before, after] = [from.content.parts?.[0], to.content.parts?.[0]];
  const out: object[] = [];
  if (typeof before === 'string' && typeof after === 'string') {
    let kept = 0;
    while (kept < before.length && before[kept] === after[kept]) kept++;
    if (kept < before.length) out.push({ p: path, o: 'truncate', v: kept });
    out.push({ p: path, o: 'append', v: after.slice(kept) });
  } else out.push({ p: '/message/content', o: 'replace', v: to.content });
  out.push(
    { p: '/message/metadata', o: 'replace', v: to.metadata },
    { p: '/message/status', o: 'replace', v: to.status },
    { p: '/message/end_turn', o: 'replace', v: to.end_turn },
  );
  return out;
}
