import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { encode } from '../src/emulator/backend/encode.ts';
import { scriptFor } from '../src/emulator/backend/script.ts';

export type Generation = 'flat' | 'reliable' | 'topics';

export type SocketUpstream = { readonly url: string; readonly acknowledged: number[]; stop(): void };

/** A conversation upstream that answers over one shared socket, in any of the three ways there have been. */
export async function startSocketUpstream(generation: Generation): Promise<SocketUpstream> {
  const acknowledged: number[] = [];
  const sockets = new Set<WebSocket>();
  let serial = 0;
  let sequence = 0;
  const topics = new Map<string, string[]>();

  const server = createServer(async (request, response) => {
    const address = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/socket`;
    const json = (value: unknown) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (request.url?.endsWith('/register-websocket'))
      return void json({ wss_url: address, expires_at: 'later' });
    if (request.url?.endsWith('/celsius/ws/user')) return void json({ websocket_url: address });
    if (request.method === 'PATCH' || request.url?.endsWith('/stop_conversation'))
      return void json({ success: true });
    const payload = JSON.parse(Buffer.concat(chunks).toString()) as {
      messages: { content: { parts: string[] } }[];
      model: string;
    };
    const id = `conversation-${++serial}`;
    let messages = 0;
    const said = payload.messages.at(-1)?.content.parts[0] ?? '';
    const script =
      generation === 'topics' ? { ...scriptFor(said), encoding: 'v1' as const } : scriptFor(said);
    const lines = [
      ...encode(script, { conversationId: id, model: payload.model, newId: () => `${id}-${++messages}` }),
    ];
    if (generation === 'topics') {
      const topic = `conversation-turn-${id}`;
      topics.set(topic, lines);
      const handoff = {
        type: 'stream_handoff',
        conversation_id: id,
        options: [{ type: 'subscribe_ws_topic', topic_id: topic }],
      };
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(
        `event: delta_encoding\ndata: "v1"\n\ndata: ${JSON.stringify(handoff)}\n\ndata: [DONE]\n\n`,
      );
      return;
    }
    json({
      ...(serial % 2 ? { wss_url: address } : { websocket_request_id: 'r' }),
      conversation_id: id,
      response_id: `response-${id}`,
    });
    // Everybody on the socket hears every answer, as on a shared one.
    const bytes = Buffer.from(lines.join(''));
    setTimeout(async () => {
      // Every socket is cut off, without a word of farewell.
      if (said === 'drop me') for (const socket of sockets) socket.terminate();
      for (let start = 0; start < bytes.length; start += 300) {
        const frame = {
          type: 'http.response.body',
          body: bytes.subarray(start, start + 300).toString('base64'),
          more_body: start + 300 < bytes.length,
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
        for (const socket of sockets)
          socket.send(JSON.stringify(generation === 'reliable' ? reliable : frame));
        await new Promise((resolve) => setImmediate(resolve));
      }
    }, 150);
  });

  new WebSocketServer({ server }).on('connection', (socket) => {
    sockets.add(socket);
    if (generation === 'reliable') socket.send(JSON.stringify({ type: 'system', event: 'connected' }));
    socket.on('close', () => sockets.delete(socket));
    socket.on('message', (data) => {
      const said = JSON.parse(String(data)) as
        | { type?: string; sequenceId?: number }
        | { id: number; command: { type: string; topic_id?: string } }[];
      if (!Array.isArray(said))
        return void (said.type === 'sequenceAck' && acknowledged.push(said.sequenceId ?? 0));
      const topic = said.find(({ command }) => command.type === 'subscribe')?.command.topic_id ?? '';
      const frames = (topics.get(topic) ?? []).map((line, i) => ({
        type: 'message',
        topic_id: topic,
        offset: String(i),
        payload: {
          type: 'conversation-turn-stream',
          payload: { type: 'stream-item', encoded_item: line, stream_item_id: `${topic}-${i}` },
        },
      }));
      const half = Math.floor(frames.length / 2);
      // The catch-up and the live frames overlap.
      socket.send(
        JSON.stringify([
          {
            id: 2,
            type: 'reply',
            reply: {
              type: 'subscribe',
              topic_id: topic,
              recovered: true,
              catchups: frames.slice(0, half + 2),
            },
          },
        ]),
      );
      for (const frame of frames.slice(half)) socket.send(JSON.stringify([frame]));
      socket.send(
        JSON.stringify([
          { type: 'message', topic_id: topic, payload: { type: 'conversation-turn-complete' } },
        ]),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    acknowledged,
    stop() {
      for (const socket of sockets) socket.terminate();
      server.close();
      server.closeAllConnections();
    },
  };
}
