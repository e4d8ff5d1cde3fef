import { isFinished, type Message, textOf } from '../decode/message.ts';
import { findPattern } from './pattern.ts';
import { plainText } from './plain-text.ts';

/** A document that the assistant writes beside its answer. */
export type Document = { readonly title: string; readonly text: string; readonly language: string | null };

/** Longest document and most documents of a turn: one call can multiply a text by its updates. */
const [longestDocument, maxDocuments] = [1024 * 1024, 50];

/**
 * The documents of a turn: made by one call, changed and commented by others, shown when the turn
 * is over.
 */
export function createCanvas() {
  const documents: { title: string; text: string; language: string | null; remarks: string[] }[] = [];
  const seen = new Set<string>();
  return {
    /** Takes a call, once it is whole. */
    take(message: Message): void {
      if (!isFinished(message) || message.id === undefined || seen.has(message.id)) return;
      seen.add(message.id);
      const call = parsed(textOf(message.content));
      if (typeof call?.content === 'string') {
        const title = typeof call.name === 'string' ? call.name : 'Document';
        const text = call.content.slice(0, longestDocument);
        if (documents.length < maxDocuments)
          documents.push({ title, text, language: languageOf(call.type), remarks: [] });
        return;
      }
      const last = documents.at(-1);
      if (!last) return;
      for (const update of Array.isArray(call?.updates) ? call.updates : [])
        last.text = updated(last.text, update ?? {}).slice(0, longestDocument);
      for (const comment of Array.isArray(call?.comments) ? call.comments : [])
        if (typeof comment?.comment === 'string' && last.remarks.length < 200)
          last.remarks.push(comment.comment.replace(/\s+/g, ' ').slice(0, 2000));
    },
    /** The documents as they are now, once. Remarks are a list after their document. */
    finish: (): readonly Document[] =>
      documents.splice(0).flatMap(({ title, text, language, remarks }): Document[] => [
        { title: plainText(title), text: plainText(text, language !== null), language },
        ...(remarks.length === 0
          ? []
          : [
              {
                title: `${title}: comments`,
                text: remarks.map((each) => `- ${each}`).join('\n'),
                language: null,
              },
            ]),
      ]),
  };
}

type Update = { pattern?: unknown; multiple?: unknown; replacement?: unknown };
type Call = {
  name?: unknown;
  type?: unknown;
  content?: unknown;
  updates?: (Update | null)[];
  comments?: ({ comment?: unknown } | null)[];
};

/**
 * Replaces what a pattern finds. If it finds nothing, the text stays and the new text follows it.
 */
function updated(text: string, { pattern, multiple, replacement }: Update): string {
  if (typeof pattern !== 'string' || typeof replacement !== 'string') return text;
  const pieces: string[] = [];
  let from = 0;
  let length = 0;
  while (length <= longestDocument) {
    const match = findPattern(text, pattern, from);
    if (!match) break;
    pieces.push(text.slice(from, match.start), replacement);
    length += match.start - from + replacement.length;
    from = match.end;
    if (multiple !== true || match.end === match.start || from >= text.length) break;
  }
  if (pieces.length > 0) return pieces.join('') + text.slice(from);
  return replacement === '' ? text : `${text}\n\n${replacement}`;
}

/** The language of `code/python`; null for prose. */
function languageOf(type: unknown): string | null {
  const [, language] = typeof type === 'string' ? (/^code\/([\w+#-]{1,30})$/.exec(type) ?? []) : [];
  return language ?? null;
}

function parsed(text: string): Call | null {
  try {
    const call: unknown = JSON.parse(text);
    return typeof call === 'object' && call !== null ? (call as Call) : null;
  } catch {
    return null;
  }
}
