import type { Message, Part } from './chat.ts';

/** A message of the user and the answer to it. */
export type Exchange = {
  readonly id: number;
  readonly user: Message;
  readonly answer: Answer;
};

export type Answer = {
  readonly text: string;
  readonly reasoning: string;
  readonly state: 'running' | 'done' | 'stopped' | 'failed';
  /** What went wrong, for the reader; empty if nothing did. */
  readonly error: string;
  /** Why the model ended, if it says so: `stop`, `length` and others. */
  readonly finish: string | null;
  readonly requestId: string | null;
  /** Milliseconds to the first chunk and in all. */
  readonly firstMs: number | null;
  readonly totalMs: number | null;
};

export const noAnswer: Answer = {
  text: '',
  reasoning: '',
  state: 'running',
  error: '',
  finish: null,
  requestId: null,
  firstMs: null,
  totalMs: null,
};

/** A message as it is sent: text, or text with pictures. */
export function userMessage(text: string, pictures: readonly string[]): Message {
  if (pictures.length === 0) return { role: 'user', content: text };
  const parts: Part[] = pictures.map((url) => ({ type: 'image_url', image_url: { url } }));
  return { role: 'user', content: text === '' ? parts : [{ type: 'text', text }, ...parts] };
}

/**
 * The messages that go along with the next one. An exchange without an answer is left out: some
 * upstreams refuse two messages of the user in a row.
 */
export function history(exchanges: readonly Exchange[]): Message[] {
  return exchanges
    .filter(({ answer }) => answer.text !== '' && answer.state !== 'failed')
    .flatMap(({ user, answer }): Message[] => [user, { role: 'assistant', content: answer.text }]);
}

/** The text of a message, and its pictures. */
export function partsOf({ content }: Message): { text: string; pictures: readonly string[] } {
  if (typeof content === 'string') return { text: content, pictures: [] };
  return {
    text: content.map((part) => (part.type === 'text' ? part.text : '')).join(''),
    pictures: content.flatMap((part) => (part.type === 'image_url' ? [part.image_url.url] : [])),
  };
}
