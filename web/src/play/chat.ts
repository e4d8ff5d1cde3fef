import { eventsOf } from '../../../src/openai/sse.ts';
import { messageOf } from '../shared/message.ts';

export type Part = { type: 'text'; text: string } | { type: 'image_url'; image_url: { url: string } };
export type Message = { role: 'user' | 'assistant'; content: string | readonly Part[] };

/** What is sent: the whole conversation, as a stream. */
export function chatBody(model: string, messages: readonly Message[]) {
  return { model, messages, stream: true };
}

/** Sends a conversation; gives each new piece of its answer. Throws with what the gateway says where it refuses, or breaks off. */
export async function* chat(
  url: string,
  headers: Record<string, string>,
  body: object,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    signal,
  });
  if (!answer.ok || answer.body === null)
    throw new Error(messageOf(answer.status, await answer.json().catch(() => null)));
  for await (const { data } of eventsOf(answer.body)) {
    if (data === '' || data === '[DONE]') continue;
    const { choices, error } = JSON.parse(data) as {
      choices?: readonly { delta?: { content?: string | null } }[];
      error?: unknown;
    };
    if (error) throw new Error(messageOf(answer.status, { error }));
    const content = choices?.[0]?.delta?.content;
    if (content) yield content;
  }
}
