/** The fields of a message that the emulator reads. */
export type Message = { readonly role?: unknown; readonly content?: unknown; readonly type?: unknown };

/** The last message of the user, the number of its pictures, and the result of a tool after it. */
export type Said = { readonly text: string; readonly pictures: number; readonly afterTool: string | null };

/** Reads the last message of the user, from chat messages or from the input of a response. */
export function lastSaid(messages: readonly unknown[]): Said {
  const items = messages.filter(
    (item): item is Message & Record<string, unknown> => typeof item === 'object' && item !== null,
  );
  const last = items.at(-1);
  const user = items.findLast((item) => item.role === 'user');
  const afterTool =
    last?.role === 'tool' || last?.role === 'function'
      ? textOf(last.content)
      : last?.type === 'function_call_output'
        ? String(last.output ?? '')
        : null;
  return { text: textOf(user?.content), pictures: picturesIn(user?.content), afterTool };
}

/** The text of a message: a string, or the text parts of a list. */
function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((part: { text?: unknown }) => (typeof part?.text === 'string' ? part.text : ''))
    .join('');
}

function picturesIn(content: unknown): number {
  if (!Array.isArray(content)) return 0;
  return content.filter(
    (part: { type?: unknown }) => part?.type === 'image_url' || part?.type === 'input_image',
  ).length;
}

/** The answer of the emulator: a greeting, or an echo. */
export function answerTo(said: Said): string {
  if (said.afterTool !== null) return `The tool answered: ${said.afterTool}`;
  const pictures =
    said.pictures > 0 ? ` I see ${said.pictures === 1 ? 'a picture' : `${said.pictures} pictures`}.` : '';
  if (/^(hi|hello|hey|你好|您好)\b/i.test(said.text.trim()) || said.text.trim() === '') {
    return `Hello! I am the emulator built into sluice: offline, free, and it only repeats what you say.${pictures} Set OPENAI_API_KEY or OPENAI_BASE_URL to talk to a real model.`;
  }
  return `You said: ${said.text}${pictures}`;
}

/** Text in chunks for a stream: words with the space before them, never half a character. */
export function piecesOf(text: string): string[] {
  return text.match(/\s*\S{1,12}|\s+$/gu) ?? [];
}

/** The token count that the emulator reports for a text. */
export function tokensOf(text: string): number {
  return Math.ceil(new TextEncoder().encode(text).length / 4);
}
