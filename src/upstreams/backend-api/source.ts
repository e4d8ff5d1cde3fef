import type { Ports } from '../../ports/ports.ts';
import { gatherChunks } from '../../streams/gather.ts';
import { chunkReader } from '../../streams/read-chunks.ts';
import type { ByteSource } from './byte-source.ts';
import type { Client, ConversationResponse } from './client.ts';
import type { Message } from './decode/message.ts';
import { listen } from './socket.ts';

/** What opening a source needs. */
export type SourceOptions = {
  readonly ports: Pick<Ports, 'http'>;
  /** Private hosts, as `host:port`, that the upstream may name a socket at. */
  readonly allow: ReadonlySet<string>;
  /** Milliseconds for which events gather before they are read; 0 to read each as it comes. */
  readonly gatherMs: number;
};

/** The bytes of an answer: the body itself, or what comes over the socket that the body names. */
export async function openSource(
  response: ConversationResponse,
  client: Pick<Client, 'socketUrl'>,
  { ports, allow, gatherMs }: SourceOptions,
  signal: AbortSignal,
): Promise<ByteSource> {
  if (response.kind === 'stream') {
    const { body } = response;
    if (gatherMs === 0) return chunkReader(body);
    return ports.http.gather?.(body, gatherMs) ?? gatherChunks(chunkReader(body), gatherMs);
  }
  const text = (name: string): string | null => {
    const value = response.fields[name];
    return typeof value === 'string' ? value : null;
  };
  const url = text('wss_url') ?? (await client.socketUrl(signal));
  const filter = { conversationId: text('conversation_id'), responseId: text('response_id'), topic: null };
  return listen(ports.http, { url, allow, filter, hello: [] });
}

/** Messages of a finished answer, as the stream that they would have come in. */
export function storedSource(messages: readonly Message[], conversationId: string): ByteSource {
  const events = messages.map(
    (message) => `data: ${JSON.stringify({ message, conversation_id: conversationId, error: null })}\n\n`,
  );
  let bytes: Uint8Array | null = new TextEncoder().encode(`${events.join('')}data: [DONE]\n\n`);
  return {
    async read() {
      const value = bytes;
      bytes = null;
      return value === null ? { done: true } : { done: false, value };
    },
    cancel() {
      bytes = null;
    },
  };
}
