import type { Ports } from '../../ports/ports.ts';
import { readChunks } from '../../streams/read-chunks.ts';
import type { Client } from './client.ts';
import type { Message } from './decode/message.ts';
import { listen } from './socket.ts';

/** The bytes of an answer, whichever way it comes: the body itself, or a socket that the body names. */
export async function bodyOf(
  answer: Response,
  client: Client,
  ports: Ports,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const type = answer.headers.get('content-type') ?? '';
  if (answer.body && (type.includes('text/event-stream') || !type.includes('json')))
    return readChunks(answer.body);
  const copy = answer.clone();
  const named = ((await answer.json().catch(() => null)) ?? {}) as Record<string, unknown>;
  const text = (name: string) => (typeof named[name] === 'string' ? (named[name] as string) : null);
  if (text('wss_url') === null && text('websocket_request_id') === null) throw await client.refused(copy);
  const url = text('wss_url') ?? (await client.socketUrl(signal));
  return listen(
    ports.http.openSocket,
    url,
    { conversationId: text('conversation_id'), responseId: text('response_id'), topic: null },
    [],
    signal,
  );
}

/** Messages that were found finished, as the stream they would have come in. */
export async function* asStream(
  messages: readonly Message[],
  conversationId: string,
): AsyncGenerator<Uint8Array> {
  const events = messages.map(
    (message) => `data: ${JSON.stringify({ message, conversation_id: conversationId, error: null })}\n\n`,
  );
  yield new TextEncoder().encode(`${events.join('')}data: [DONE]\n\n`);
}
