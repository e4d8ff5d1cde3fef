import type { Link, Segment } from '../../../segments/segment.ts';
import { isFinished, type Message, textOf } from '../decode/message.ts';
import { sourcesIn } from './links.ts';
import { createMarkedText, type MarkedText } from './marked-text.ts';
import type { TextState } from './marker-options.ts';
import { pictureOf, picturesOf } from './pictures.ts';

/** What an answer shares with the other messages of its turn. */
export type AnswerContext = {
  /** The pictures that were shown. */
  readonly pictures: Set<string>;
  /** The search results by their id. */
  readonly results: Map<string, Link>;
};

/** A message of the assistant that is shown, as it grows: its texts and pictures in their order. */
export function createAnswer(id: string, { pictures, results }: AnswerContext) {
  const texts = new Map<number, MarkedText>();
  let latest: Message = {};
  let isOpen = true;

  const textAt = (index: number): MarkedText => {
    const known = texts.get(index);
    if (known) return known;
    const created = createMarkedText({ messageId: id, results, waits: true });
    texts.set(index, created);
    return created;
  };

  const parts = (message: Message, list: readonly unknown[], finished: boolean): Segment[] => {
    const out: Segment[] = [];
    let last = list.length - 1;
    while (last >= 0 && wordsIn(list[last]) === null) last--;
    for (const [index, part] of list.entries()) {
      const words = wordsIn(part);
      if (words === null) {
        out.push(...pictureOf(part, finished, pictures));
        continue;
      }
      const state: TextState = finished || index < last ? 'whole' : 'growing';
      out.push(...textAt(index).push(words, null, message.metadata, state));
    }
    return out;
  };

  return {
    /** What is new of the message. */
    push(message: Message, appended: string | null): Segment[] {
      latest = message;
      isOpen = true;
      const finished = isFinished(message);
      const list = message.content?.parts;
      if (Array.isArray(list) && (list.length > 1 || typeof list[0] === 'object'))
        return [...parts(message, list, finished), ...picturesOf(message, pictures)];
      const text = textOf(message.content);
      const segments = textAt(0).push(text, appended, message.metadata, finished ? 'whole' : 'growing');
      return finished ? [...segments, ...picturesOf(message, pictures)] : segments;
    },
    /** Nothing more comes: what was held back. */
    close(): Segment[] {
      if (!isOpen) return [];
      isOpen = false;
      return [...texts.values()].flatMap((text) => text.close());
    },
    /** Sources that came after the text, and those that are listed under it. */
    sources(): readonly Link[] {
      const references = Array.isArray(latest.metadata?.content_references)
        ? latest.metadata.content_references.filter((each) => each?.type !== undefined)
        : [];
      const late = [...texts.values()].flatMap((text) =>
        text
          .unresolved()
          .flatMap((marker) => references.filter(({ matched_text }) => matched_text === marker))
          .flatMap((reference) => sourcesIn(reference)),
      );
      const listed = references.filter(({ type }) => type === 'sources_footnote').flatMap(sourcesIn);
      return [...late, ...listed].map(({ title, url }) => ({ title, url }));
    },
    /** Takes text as known that is not to be shown again. */
    skip: (text: string): void => textAt(0).skip(text),
  };
}

export type Answer = ReturnType<typeof createAnswer>;

/** The words of a part: text, or what was spoken. Null if it is neither. */
function wordsIn(part: unknown): string | null {
  if (typeof part === 'string') return part;
  if (typeof part !== 'object' || part === null) return null;
  const { content_type: type, text } = part as { content_type?: unknown; text?: unknown };
  return type === 'audio_transcription' && typeof text === 'string' ? text : null;
}
