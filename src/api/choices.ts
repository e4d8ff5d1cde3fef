import type { Finish, UrlCitation } from '../openai/chunks.ts';
import { createLimit, type LimitOptions } from '../openai/limit.ts';
import type { AnswerPart, AnswerWriter } from '../segments/answer.ts';
import type { SegmentBatches } from '../upstreams/upstream.ts';

/** The next part of one choice of a completion. */
export type ChoicePart = { readonly index: number } & (
  | {
      readonly kind: 'piece';
      readonly content: string;
      readonly reasoning: string;
      readonly annotations: readonly UrlCitation[];
    }
  | { readonly kind: 'finish'; readonly reason: Finish }
  | { readonly kind: 'error'; readonly message: string; readonly code: string | null }
);

/** The parts of one choice, or of several. */
export interface Choices {
  /** The next part; null after the last one. */
  next(): Promise<ChoicePart | null>;
  /** Ends the turns behind it. Nothing more is read. */
  leave(): void;
}

const noAnnotations: readonly UrlCitation[] = [];

/**
 * One answer as a choice: cut at stop sequences and at the last token. Its sources come once, in
 * the last piece before the finish: clients cannot join two lists. Those beyond a cut are left out.
 * Everything between two reads of the upstream is synchronous, unless an asset is published.
 */
export function createChoice(
  index: number,
  batches: SegmentBatches,
  answer: AnswerWriter,
  options: LimitOptions,
): Choices {
  const limit = createLimit(options);
  const annotations: UrlCitation[] = [];
  /** Characters of the content that were given. */
  let length = 0;
  /** Parts that follow the one that was just given. */
  let queued: ChoicePart[] = [];
  let isOver = false;

  const end = (): void => {
    isOver = true;
    void batches.return();
  };
  const piece = (content: string, reasoning: string, list = noAnnotations): ChoicePart => ({
    index,
    kind: 'piece',
    content,
    reasoning,
    annotations: list,
  });

  /** The last parts: what is left of the text with the sources, then the finish. */
  const finish = (text: string, reasoning: string, reason: Finish): ChoicePart | null => {
    end();
    const last = length + text.length;
    const within = annotations.filter(({ url_citation }) => url_citation.end_index <= last);
    if (text !== '' || reasoning !== '' || within.length > 0) queued.push(piece(text, reasoning, within));
    queued.push({ index, kind: 'finish', reason });
    return queued.shift() ?? null;
  };

  const convert = (part: AnswerPart): ChoicePart | null => {
    if (part.kind === 'error') {
      end();
      return { index, ...part };
    }
    if (part.kind === 'finish') {
      const { text, ended } = limit.end();
      return finish(text, '', ended ?? part.reason);
    }
    for (const source of part.annotations) annotations.push(citationOf(source));
    const { text, ended } = limit.push(part.content);
    // After a cut the rest of the answer is not read.
    if (ended) return finish(text, part.reasoning, ended);
    length += text.length;
    return text === '' && part.reasoning === '' ? null : piece(text, part.reasoning);
  };

  return {
    async next() {
      for (;;) {
        const part = queued.shift();
        if (part) return part;
        if (isOver) return null;
        const written = answer.take();
        const pending = written ? null : answer.pending();
        if (written) {
          const converted = convert(written);
          if (converted) return converted;
        } else if (pending) await pending;
        else {
          const { done, value } = await batches.next();
          if (done) isOver = true;
          else answer.push(value);
        }
      }
    },
    leave() {
      queued = [];
      end();
    },
  };
}

function citationOf({ start, end, title, url }: { start: number; end: number; title: string; url: string }) {
  return {
    type: 'url_citation',
    url_citation: { start_index: start, end_index: end, title, url },
  } as const;
}

/** Several choices as one: their parts in the order in which they come. */
export function mergeChoices(choices: readonly Choices[]): Choices {
  const [only] = choices;
  if (only && choices.length === 1) return only;
  const next = (choice: Choices) => choice.next().then((part) => ({ choice, part }));
  const waiting = new Map(choices.map((choice) => [choice, next(choice)]));
  return {
    async next() {
      while (waiting.size > 0) {
        const { choice, part } = await Promise.race(waiting.values());
        if (part) waiting.set(choice, next(choice));
        else waiting.delete(choice);
        if (part) return part;
      }
      return null;
    },
    leave() {
      for (const choice of choices) choice.leave();
    },
  };
}

/** Longest piece of a paced choice, in characters. */
const pieceLength = 16;

/**
 * The same parts with at least `ms` milliseconds between two, long pieces cut into short ones: for
 * clients that show text as it comes.
 */
export function paceChoice(choice: Choices, ms: number): Choices {
  let parts: ChoicePart[] = [];
  let isFirst = true;
  const split = (part: ChoicePart): ChoicePart[] => {
    if (part.kind !== 'piece' || part.content.length <= pieceLength) return [part];
    const characters = [...part.content];
    const pieces: ChoicePart[] = [];
    for (let at = 0; at < characters.length; at += pieceLength) {
      const content = characters.slice(at, at + pieceLength).join('');
      pieces.push(
        at === 0 ? { ...part, content } : { ...part, content, reasoning: '', annotations: noAnnotations },
      );
    }
    return pieces;
  };
  return {
    async next() {
      if (!isFirst) await new Promise((resolve) => setTimeout(resolve, ms));
      isFirst = false;
      if (parts.length === 0) {
        const part = await choice.next();
        if (part === null) return null;
        parts = split(part);
      }
      return parts.shift() ?? null;
    },
    leave: () => choice.leave(),
  };
}
