import type { Segment } from '../../../segments/segment.ts';
import { isFinished, type Message, type Metadata, textOf } from '../decode/message.ts';
import { createCanvas } from './canvas.ts';
import { classifyMessage, type Role } from './classify.ts';
import { createMarkerParser } from './markers.ts';
import { picturesOf } from './pictures.ts';
import { searchOf } from './search.ts';
import { createTextDiff } from './text-diff.ts';

/** What is remembered of a message while its turn lasts. */
type Known = {
  readonly growing: ReturnType<typeof createTextDiff>;
  readonly marks: ReturnType<typeof createMarkerParser>;
  begun: boolean;
  done: boolean;
  /** The metadata that marks may still need, of an answer that is not finished. */
  open: Metadata | undefined;
};

/**
 * Messages as they grow → segments, each saying what is new since the last. Everything is kept by message id: a turn has
 * several messages, and they may come in any order.
 */
export function createReducer() {
  const known = new Map<string, Known>();
  const pictures = new Set<string>();
  const canvas = createCanvas();
  let shown = 0;
  let reasoned = 0;
  let continuing = false;
  let lastText = '';

  const of = (id: string): Known => {
    let found = known.get(id);
    if (!found) {
      found = {
        growing: createTextDiff(),
        marks: createMarkerParser(id),
        begun: false,
        done: false,
        open: undefined,
      };
      known.set(id, found);
    }
    return found;
  };

  const answer = (message: Message, appended: string | null, id: string): Segment[] => {
    const state = of(id);
    const finished = isFinished(message);
    const text = textOf(message.content);
    if (continuing && !state.begun) {
      if (repeats(text, finished)) return [];
      // It says again what was said, and then goes on: only what goes on is new.
      if (lastText !== '' && text.startsWith(lastText)) state.growing.next(lastText, null, false);
    }
    state.open = finished ? undefined : (message.metadata ?? {});
    const added = state.growing.next(text, appended, finished);
    const segments: Segment[] = [];
    if (added !== '' || finished) segments.push(...state.marks.push(added, message.metadata, finished));
    if (segments.length > 0 && !state.begun) {
      state.begun = true;
      const first = segments[0];
      if (shown++ > 0 && !continuing && first?.kind === 'text') segments[0] = { ...first, begins: true };
      continuing = false;
    }
    if (finished) lastText = text;
    return [...segments, ...picturesOf(message, pictures)];
  };

  /** Whether the first message of a continued answer only says again what was said; its addition is then taken by growth. */
  const repeats = (text: string, finished: boolean): boolean => {
    if (text === '' || lastText === '') return text === '';
    if (lastText.startsWith(text)) return !finished || text === lastText;
    return false;
  };

  const reasoning = (message: Message, appended: string | null, id: string): Segment[] => {
    const state = of(id);
    const text = message.content?.content_type === 'thoughts' ? thoughtsOf(message) : textOf(message.content);
    const plain = message.content?.content_type === 'thoughts' ? null : appended;
    const added = state.growing.next(text, plain, isFinished(message));
    if (added === '') return [];
    const begins = !state.begun && reasoned > 0;
    if (!state.begun) reasoned++;
    state.begun = true;
    return [{ kind: 'reasoning', text: added, ...(begins ? { begins } : {}) }];
  };

  const block = (
    message: Message,
    appended: string | null,
    id: string,
    role: Extract<Role, { as: 'code' | 'output' }>,
  ): Segment[] => {
    const isError = message.content?.content_type === 'system_error';
    const raw = textOf(message.content);
    const text = isError ? `${message.content?.name ?? 'error'}: ${raw}` : raw;
    // What stands for a picture is one line of its own; the picture itself is shown.
    const clean =
      role.as === 'output' && text.includes('<<ImageDisplayed>>')
        ? text.replace(/^\n?<<ImageDisplayed>>\n?/gm, '')
        : text;
    const finished = isFinished(message);
    const held = role.as === 'output' && !finished ? 0 : clean.length;
    const added =
      held === 0 && !finished ? '' : of(id).growing.next(clean, clean === raw ? appended : null, finished);
    const out: Segment[] = [];
    if (added !== '')
      out.push(
        role.as === 'code'
          ? { kind: 'code', text: added, language: role.language, block: id }
          : { kind: 'output', text: added, block: id },
      );
    return [...out, ...picturesOf(message, pictures)];
  };

  return {
    /** A message as it is now, and the text it gained where that is all that changed. */
    push(message: Message, appended: string | null): Segment[] {
      const id = message.id ?? '';
      const role = classifyMessage(message);
      switch (role.as) {
        case 'answer':
          return answer(message, appended, id);
        case 'reasoning':
          return reasoning(message, appended, id);
        case 'code':
        case 'output':
          return block(message, appended, id, role);
        case 'search': {
          const state = of(id);
          if (state.done || !isFinished(message)) return [];
          const found = searchOf(message);
          state.done = found.length > 0;
          return found;
        }
        case 'pictures':
          return picturesOf(message, pictures);
        case 'document':
          canvas.note(message);
          return [];
        default:
          return [];
      }
    },
    /** The answer was cut for length and is asked to go on: what comes next belongs to the text before it. */
    continued(): void {
      continuing = true;
    },
    /** What was held back, and what is shown only when the turn is over. */
    end(): Segment[] {
      const held = [...known.values()].flatMap((state) => {
        const { open } = state;
        state.open = undefined;
        return open ? state.marks.push(state.growing.rest(), open, true) : [];
      });
      return [...held, ...documents()];
    },
  };

  function documents(): Segment[] {
    return canvas.take().map(({ title, text }): Segment => ({ kind: 'document', title, text }));
  }
}

/** Thoughts as text: each its summary and what it says. */
function thoughtsOf(message: Message): string {
  return (message.content?.thoughts ?? [])
    .map(({ summary, content }) =>
      [summary, content].filter((part) => part !== undefined && part !== '').join(': '),
    )
    .filter((thought) => thought !== '')
    .join('\n\n');
}
