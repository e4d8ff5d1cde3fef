import { eventsOf } from '../../../src/openai/sse.ts';
import { messageOf } from '../shared/message.ts';

export type Part = { type: 'text'; text: string } | { type: 'image_url'; image_url: { url: string } };
export type Message = { role: 'user' | 'assistant'; content: string | readonly Part[] };

/** The body of a request, streamed. */
export function chatBody(model: string, messages: readonly Message[]) {
  return { model, messages, stream: true };
}

/** A chunk of an answer. */
export type Chunk = {
  readonly text: string;
  readonly reasoning: string;
  readonly finish: string | null;
  readonly requestId: string | null;
};

/**
 * Sends a conversation and yields the chunks of its answer. Throws the message of the gateway if it
 * refuses or breaks off.
 */
export async function* chat(
  url: string,
  headers: Record<string, string>,
  body: object,
  signal: AbortSignal,
): AsyncGenerator<Chunk> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    signal,
  });
  const requestId = response.headers.get('x-request-id');
  if (!response.ok || response.body === null) {
    const message = messageOf(response.status, await response.json().catch(() => null));
    throw new Error(`${message} (${response.status}${requestId === null ? '' : `, ${requestId}`})`);
  }
  for await (const { data } of eventsOf(response.body)) {
    if (data === '' || data === '[DONE]') continue;
    const { choices, error } = JSON.parse(data) as {
      choices?: readonly Choice[];
      error?: unknown;
    };
    if (error) throw new Error(messageOf(response.status, { error }));
    const { delta = {}, finish_reason: finish = null } = choices?.[0] ?? {};
    const text = delta.content || delta.refusal || '';
    yield { text, reasoning: delta.reasoning_content || delta.reasoning || '', finish, requestId };
  }
}

type Choice = {
  readonly delta?: {
    readonly content?: string | null;
    readonly refusal?: string | null;
    readonly reasoning_content?: string | null;
    readonly reasoning?: string | null;
  };
  readonly finish_reason?: string | null;
};
