/** What fills the silence of an event stream. */
export type HeartbeatStyle = 'chunk' | 'ping' | 'comment';

/** The setting `KEEPALIVE_STYLE`. */
export type HeartbeatSetting = 'auto' | 'comment' | 'chunk';

const encoder = new TextEncoder();

/** Ends with one newline: a blank line makes some readers dispatch an empty event. */
const comment = encoder.encode(': keep-alive\n');
const ping = encoder.encode('event: ping\ndata: {"type": "ping"}\n\n');

/** At most this much of the last bytes is searched for the stream's last event. */
const maxSearched = 16 * 1024;

/**
 * The style for a path. An empty chunk is safe with every reader of chat streams that we tried, and
 * a comment is not: readers built on fetch-event-source dispatch an empty event for it.
 */
export function heartbeatStyle(setting: HeartbeatSetting, path: string): HeartbeatStyle {
  const isChat = path === '/v1/chat/completions';
  if (setting !== 'auto') return setting === 'chunk' && !isChat ? 'comment' : setting;
  if (isChat) return 'chunk';
  return path === '/v1/messages' ? 'ping' : 'comment';
}

type ChunkHead = { readonly id: string; readonly created: number; readonly model: string };

/**
 * The bytes to send in silence. `last` holds the latest bytes of the stream, or null before the
 * first. For chat streams the id, the time and the model are those of the stream's own chunks;
 * `fallback` stands in until one has passed.
 */
export function heartbeat(style: HeartbeatStyle, last: Uint8Array | null, fallback: ChunkHead): Uint8Array {
  if (style === 'comment') return comment;
  if (style === 'ping') return ping;
  const { id, created, model } = (last && lastChunkHead(last)) ?? fallback;
  const chunk = {
    id,
    object: 'chat.completion.chunk',
    created,
    model,
    choices: [{ index: 0, delta: {}, finish_reason: null }],
  };
  return encoder.encode(`data: ${JSON.stringify(chunk)}\n\n`);
}

/**
 * Reads id, created and model from the last whole `data:` line of some bytes; null if there is
 * none.
 */
function lastChunkHead(bytes: Uint8Array): ChunkHead | null {
  const text = new TextDecoder().decode(bytes.subarray(Math.max(0, bytes.length - maxSearched)));
  const start = text.lastIndexOf('data:');
  if (start < 0 || (start > 0 && text[start - 1] !== '\n' && text[start - 1] !== '\r')) return null;
  const end = text.slice(start).search(/[\r\n]/);
  try {
    const value = JSON.parse(text.slice(start + 5, end < 0 ? undefined : start + end)) as Partial<ChunkHead>;
    if (typeof value.id !== 'string') return null;
    return {
      id: value.id,
      created: typeof value.created === 'number' ? value.created : 0,
      model: typeof value.model === 'string' ? value.model : '',
    };
  } catch {
    return null;
  }
}
