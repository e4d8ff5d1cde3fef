import { isFinished, type Message, textOf } from '../decode/message.ts';

/** Documents that the assistant writes beside its answer: made by one call, changed by others, shown when the turn is over. */
export function createCanvas() {
  const documents: { title: string; text: string }[] = [];
  const seen = new Set<string>();
  return {
    /** Notes a call, once it is whole. */
    note(message: Message): void {
      if (!isFinished(message) || message.id === undefined || seen.has(message.id)) return;
      seen.add(message.id);
      const call = parsed(textOf(message.content));
      if (typeof call?.content === 'string') {
        documents.push({ title: typeof call.name === 'string' ? call.name : 'Document', text: call.content });
        return;
      }
      const last = documents.at(-1);
      for (const update of Array.isArray(call?.updates) ? call.updates : [])
        if (last) last.text = updated(last.text, update);
    },
    /** The documents as they are now, once. */
    take: () => documents.splice(0),
  };
}

type Update = { pattern?: unknown; multiple?: unknown; replacement?: unknown };

/** An update replaces what a pattern finds; a pattern we cannot run leaves the text as it is. */
function updated(text: string, { pattern, multiple, replacement }: Update): string {
  if (typeof pattern !== 'string' || typeof replacement !== 'string') return text;
  if (pattern === '.*') return replacement;
  // Only plain text is looked for: the pattern is the upstream's, and one could be made that never ends.
  if (/[\\^$.*+?()[\]{}|]/.test(pattern)) return `${text}\n\n${replacement}`;
  return multiple === true
    ? text.replaceAll(pattern, () => replacement)
    : text.replace(pattern, () => replacement);
}

function parsed(text: string): { name?: unknown; content?: unknown; updates?: Update[] } | null {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
