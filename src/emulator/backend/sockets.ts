import { encode } from './encode.ts';
import { scriptFor } from './script.ts';

/**
 * The ways answers have come over sockets: base64 frames, frames to be acknowledged, topics with
 * catch-ups.
 */
export type Generation = 'flat' | 'reliable' | 'topics';

/** The other end of a socket, whatever carries it. */
export type Peer = { send(text: string): void };

type Payload = {
  readonly messages?: readonly { readonly content?: { readonly parts?: readonly unknown[] } }[];
  readonly model?: unknown;
};

/** Bytes of the stream in one frame. */
const frameBytes = 300;

/**
 * The backend-api whose answers come over one shared socket. Free of any transport: `fetch` takes
 * the HTTP calls, `connected` a peer, and gives what handles its messages.
 */
export function createSocketBackend(generation: Generation, socketUrl: () => string) {
  const peers = new Set<Peer>();
  const topics = new Map<string, readonly string[]>();
  let serial = 0;
  let sequence = 0;

  /** Every peer on the socket gets every answer, as on a shared one. */
  const broadcast = async (id: string, stream: string): Promise<void> => {
    const bytes = new TextEncoder().encode(stream);
    for (let start = 0; start < bytes.length; start += frameBytes) {
      const frame = {
        type: 'http.response.body',
        body: btoa(String.fromCharCode(...bytes.subarray(start, start + frameBytes))),
        more_body: start + frameBytes < bytes.length,
        conversation_id: id,
        response_id: `response-${id}`,
      };
      const reliable = {
        sequenceId: ++sequence,
        type: 'message',
        from: 'group',
        group: 'g',
        dataType: 'json',
        data: frame,
      };
      for (const peer of peers) peer.send(JSON.stringify(generation === 'reliable' ? reliable : frame));
      await pause(0);
    }
  };

  const converse = async (request: Request): Promise<Response> => {
    const payload = (await request.json()) as Payload;
    const id = `conversation-${++serial}`;
    let messages = 0;
    const script = scriptFor(String(payload.messages?.at(-1)?.content?.parts?.[0] ?? ''));
    const head = { conversationId: id, model: String(payload.model), newId: () => `${id}-${++messages}` };
    const lines = [...encode(generation === 'topics' ? { ...script, encoding: 'v1' } : script, head)];
    if (generation !== 'topics') {
      // Long enough for the caller to have connected.
      void pause(150).then(() => broadcast(id, lines.join('')));
      const where = serial % 2 ? { wss_url: socketUrl() } : { websocket_request_id: `request-${id}` };
      return Response.json({ ...where, conversation_id: id, response_id: `response-${id}` });
    }
    const topic = `conversation-turn-${id}`;
    topics.set(topic, lines);
    const handoff = {
      type: 'stream_handoff',
      conversation_id: id,
      options: [{ type: 'subscribe_ws_topic', topic_id: topic }],
    };
    const stream = `event: delta_encoding\ndata: "v1"\n\ndata: ${JSON.stringify(handoff)}\n\ndata: [DONE]\n\n`;
    return new Response(stream, { headers: { 'content-type': 'text/event-stream' } });
  };

  /** A topic from its beginning: its first half as a catch-up, the rest live, two items in both. */
  const subscribe = (peer: Peer, topic: string): void => {
    const frames = (topics.get(topic) ?? []).map((line, i) => ({
      type: 'message',
      topic_id: topic,
      offset: String(i),
      payload: {
        type: 'conversation-turn-stream',
        payload: { type: 'stream-item', encoded_item: line, stream_item_id: `${topic}-${i}` },
      },
    }));
    topics.delete(topic);
    const half = Math.floor(frames.length / 2);
    const reply = {
      type: 'subscribe',
      topic_id: topic,
      recovered: true,
      catchups: frames.slice(0, half + 2),
    };
    peer.send(JSON.stringify([{ id: 2, type: 'reply', reply }]));
    for (const frame of frames.slice(half)) peer.send(JSON.stringify([frame]));
    peer.send(
      JSON.stringify([{ type: 'message', topic_id: topic, payload: { type: 'conversation-turn-complete' } }]),
    );
  };

  return {
    fetch(request: Request): Promise<Response> | Response {
      const { pathname } = new URL(request.url);
      if (pathname.endsWith('/conversation')) return converse(request);
      if (pathname.endsWith('/register-websocket'))
        return Response.json({ wss_url: socketUrl(), expires_at: 'later' });
      if (pathname.endsWith('/celsius/ws/user')) return Response.json({ websocket_url: socketUrl() });
      return Response.json({ success: true, status: 'ok' });
    },
    /** A peer has connected; gives what takes its words, and its leaving. */
    connected(peer: Peer): { said(text: string): number | null; left(): void } {
      peers.add(peer);
      if (generation === 'reliable') peer.send(JSON.stringify({ type: 'system', event: 'connected' }));
      return {
        /** Takes what a peer says; gives the sequence that it acknowledges, if it does. */
        said(text) {
          const value = JSON.parse(text) as
            | { type?: string; sequenceId?: number }
            | readonly { command?: { type?: string; topic_id?: string } }[];
          if (!Array.isArray(value)) return (value as { sequenceId?: number }).sequenceId ?? null;
          const asked = value.find(({ command }) => command?.type === 'subscribe');
          if (asked?.command?.topic_id) subscribe(peer, asked.command.topic_id);
          return null;
        },
        left: () => void peers.delete(peer),
      };
    },
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
