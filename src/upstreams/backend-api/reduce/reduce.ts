import type { Link, Segment } from '../../../segments/segment.ts';
import { isFinished, type Message, textOf } from '../decode/message.ts';
import { type Answer, createAnswer } from './answer.ts';
import { filesOf } from './attachments.ts';
import { type Block, createBlock } from './blocks.ts';
import { createCanvas } from './canvas.ts';
import { classifyMessage, type Role } from './classify.ts';
import { createOpenAnswers } from './open-answers.ts';
import { picturesOf } from './pictures.ts';
import { plainText } from './plain-text.ts';
import { createReasoning, type Reasoning } from './reasoning.ts';
import { resultsOf, searchOf } from './search.ts';
import { signInNotice } from './sign-in.ts';
import { createSpeakers } from './speakers.ts';

/** Messages of one turn → segments that say what is new. */
export type Reducer = {
  /** A message as it is now, and the text it gained if that is all that changed. */
  push(message: Message, appended: string | null): Segment[];
  /** The answer was cut for length and goes on: what comes next belongs to the text before it. */
  continued(): void;
  /** Whether there is anything to show. */
  hasShown(): boolean;
  /** What was held back, and what is shown only when the turn is over. */
  end(): Segment[];
};

/** Most search results of a turn that are remembered. */
const maxResults = 5000;

/**
 * Reduces messages as they grow. Everything is kept by message id: a turn has several messages, and
 * they may come in any order.
 */
export function createReducer(): Reducer {
  const answers = new Map<string, Answer>();
  const reasonings = new Map<string, Reasoning>();
  const blocks = new Map<string, Block>();
  const searched = new Set<string>();
  const noticed = new Set<string>();
  const attached = new Set<string>();
  const privateTools = new Set<string>();
  const pictures = new Set<string>();
  const results = new Map<string, Link>();
  const cited = new Set<string>();
  const canvas = createCanvas();
  const open = createOpenAnswers();
  const begun = new Set<string>();
  const speakers = createSpeakers();
  /** Answers that wait until the one that goes on is finished, as they are now. */
  const waiting = new Map<string, Message>();
  let lastShown = '';
  let words: string | null = null;
  let hasShown = false;
  let isContinuing = false;
  let lastText = '';

  const answer = (message: Message, appended: string | null, id: string): Segment[] => {
    if (!speakers.mayGoOn(id)) {
      waiting.set(id, message);
      return [];
    }
    const isLate = waiting.size > 0 && waiting.delete(id);
    const segments = goOn(message, isLate ? null : appended, id);
    if (!isFinished(message) || waiting.size === 0) return segments;
    return [...segments, ...goOnWithWaiting()];
  };

  /** The answers that waited, in their order: the next unfinished one goes on. */
  const goOnWithWaiting = (): Segment[] => {
    const out: Segment[] = [];
    for (const [id, message] of [...waiting]) {
      if (!speakers.mayGoOn(id)) break;
      waiting.delete(id);
      out.push(...close(open.takeWhole(id)), ...goOn(message, null, id));
    }
    return out;
  };

  const goOn = (message: Message, appended: string | null, id: string): Segment[] => {
    const state = known(answers, id, () => createAnswer(id, { pictures, results }));
    const text = textOf(message.content);
    if (isContinuing && !begun.has(id)) {
      if (repeats(text, isFinished(message))) return [];
      // It says again what was said, and then goes on: only what goes on is new.
      if (lastText !== '' && text.startsWith(lastText)) state.skip(lastText);
    }
    open.add(id, state, isFinished(message));
    const segments = state.push(message, appended);
    if (isFinished(message)) {
      lastText = text;
      speakers.finish(id);
    }
    return begin(id, segments);
  };

  /** Marks the first text of another message than the last. */
  const begin = (id: string, segments: Segment[]): Segment[] => {
    const [first] = segments;
    if (!first) return segments;
    if (lastShown === id) return segments;
    const isNext = begun.size > 0 && !(isContinuing && !begun.has(id));
    if (!begun.has(id)) isContinuing = false;
    begun.add(id);
    lastShown = id;
    if (isNext && first.kind === 'text') segments[0] = { ...first, begins: true };
    return segments;
  };

  /** Whether a continued answer only says again what was said; its addition comes as it grows. */
  const repeats = (text: string, finished: boolean): boolean => {
    if (text === '' || lastText === '') return text === '';
    if (lastText.startsWith(text)) return !finished || text === lastText;
    return false;
  };

  const block = (message: Message, appended: string | null, id: string, role: BlockRole): Segment[] => {
    const tool = (role.as === 'code' ? message.recipient : message.author?.name) ?? '';
    if (role.as === 'code') {
      if (role.isPrivate) privateTools.add(tool);
      else privateTools.delete(tool);
    }
    const isPrivate = role.isPrivate || (role.as === 'output' && privateTools.has(tool));
    const state = known(blocks, id, () => createBlock(id));
    const segments = state.push(message, appended, { ...role, isPrivate });
    return [...segments, ...picturesOf(message, pictures), ...files(message, id)];
  };

  /** Files stand apart from the text that follows. */
  const files = (message: Message, id: string): Segment[] => {
    const links = filesOf(message, attached);
    if (links.length > 0) begun.add(id);
    if (links.length > 0) lastShown = id;
    return links;
  };

  const search = (message: Message, id: string): Segment[] => {
    if (!isFinished(message)) return [];
    remember(message);
    if (searched.has(id)) return [];
    const steps = searchOf(message);
    if (steps.length > 0) searched.add(id);
    return steps;
  };

  const remember = (message: Message): void => {
    for (const [name, link] of resultsOf(message)) {
      if (results.size >= maxResults) return;
      results.set(name, link);
    }
  };

  const segmentsOf = (message: Message, appended: string | null, id: string, role: Role): Segment[] => {
    switch (role.as) {
      case 'answer':
        return answer(message, appended, id);
      case 'reasoning':
        return known(reasonings, id, createReasoning).push(message, appended);
      case 'code':
      case 'output':
        return block(message, appended, id, role);
      case 'search':
        return search(message, id);
      case 'pictures':
        return [...picturesOf(message, pictures), ...files(message, id)];
      case 'confirmation':
        return signInNotice(message, noticed);
      case 'document':
        canvas.take(message);
        return [];
      case 'words':
        if (isFinished(message)) words = textOf(message.content);
        return [];
      default:
        return message.author?.role === 'tool' ? files(message, id) : [];
    }
  };

  /** Closes answers: those that are complete, because another message goes on, or all. */
  const close = (list: ReturnType<typeof open.takeAll>): Segment[] =>
    list.flatMap(([id, state]) => begin(id, state.close()));

  /** Sources that the text does not link, once each. */
  const sources = (): Segment[] => {
    const links = [...answers.values()].flatMap((state) => state.sources());
    const missing = new Map(links.filter(({ url }) => !cited.has(url)).map((link) => [link.url, link]));
    return missing.size === 0 ? [] : [{ kind: 'sources', links: [...missing.values()] }];
  };

  const seen = (segments: Segment[]): Segment[] => {
    for (const segment of segments) {
      hasShown ||= isContent(segment);
      if (segment.kind === 'citation') for (const { url } of segment.links) cited.add(url);
    }
    return segments;
  };

  return {
    push(message, appended) {
      const id = message.id ?? '';
      const segments = segmentsOf(message, appended, id, classifyMessage(message));
      if (segments.length === 0) return segments;
      if (!open.hasWhole()) return seen(segments);
      return seen([...close(open.takeWhole(id)), ...segments]);
    },
    continued(): void {
      isContinuing = true;
    },
    hasShown: () => hasShown || (words ?? '').trim() !== '',
    end(): Segment[] {
      const out: Segment[] = [];
      for (const [id, message] of waiting) {
        out.push(...close(open.takeAll()), ...goOn(message, null, id));
      }
      waiting.clear();
      out.push(...close(open.takeAll()));
      out.push(...canvas.finish().map((document): Segment => ({ kind: 'document', ...document })));
      seen(out);
      const isJson = /^\s*[{[]/.test(words ?? '');
      if (!hasShown && words !== null && words.trim() !== '' && !isJson)
        out.push({ kind: 'text', text: plainText(words) });
      words = null;
      out.push(...sources());
      return seen(out);
    },
  };
}

type BlockRole = Extract<Role, { as: 'code' | 'output' }>;

/** Whether a segment is part of what was asked for. */
function isContent({ kind }: Segment): boolean {
  return ['text', 'image', 'citation', 'document', 'notice', 'file'].includes(kind);
}

function known<T>(states: Map<string, T>, id: string, create: () => T): T {
  const state = states.get(id);
  if (state !== undefined) return state;
  const created = create();
  states.set(id, created);
  return created;
}
