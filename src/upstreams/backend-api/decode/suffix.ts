import type { Content, Message } from './message.ts';

/** The snapshot before: its raw form, where its text stands in that, and what it was parsed to. */
type Known = {
  raw: string;
  readonly start: number;
  end: number;
  text: string;
  readonly event: { readonly message: Message };
  /** Where the text stands in the event: the only part of a text, or the text of code or output. */
  readonly content: { parts?: unknown[]; text?: string };
};

/** A cumulative event, and the text it adds if it is the message before with more text. */
export type Snapshot = { readonly event: unknown; readonly appended: string | null };

/** Stands for the text while the rest of a snapshot is parsed: a text that no upstream sends. */
const placeholder = '\u2060the text of this snapshot\u2060';

const opening = /"(?:parts"\s*:\s*\[|text"\s*:)\s*"/;

/** After so many snapshots without a text to find, it is not looked for any more. */
const maxMisses = 32;

/**
 * Parses cumulative snapshots at the cost of what is new. Each event repeats all text so far, so
 * raw forms are compared, as memory, before anything is parsed. If an event is the one before with
 * more text, only the addition is parsed. If it differs elsewhere too (a status, a date, padding),
 * everything but the repeated text is parsed. Anything else is parsed whole. The result is always
 * the same.
 */
export function createSnapshotParser(parse: (raw: string) => unknown = JSON.parse) {
  let known: Known | null = null;
  let missed = 0;

  /** Nothing differs but that the text goes on. */
  const grown = (raw: string, before: Known): Snapshot | null => {
    const more = raw.length - before.raw.length;
    const tail = before.raw.length - before.end;
    // The tail first: it differs sooner where anything but the text changed.
    if (more <= 0 || raw.slice(-tail) !== before.raw.slice(-tail)) return null;
    if (!same(raw, 0, before.raw, 0, before.end)) return null;
    const addition = unquoted(raw.slice(before.end, before.end + more));
    if (addition === null) return null;
    before.raw = raw;
    before.end += more;
    put(before, before.text + addition);
    return { event: before.event, appended: addition };
  };

  /** The text is parsed apart from the rest, and only as far as it is new. */
  const apart = (raw: string): Snapshot | null => {
    const found = opening.exec(raw);
    if (!found) return null;
    const start = found.index + found[0].length;
    const length = known ? known.end - known.start : 0;
    const repeated = known && same(raw, start, known.raw, known.start, length) ? known : null;
    const from = start + (repeated ? length : 0);
    const end = closingQuote(raw, from);
    if (end < 0) return null;
    const event = parsed(`${raw.slice(0, start)}${placeholder}${raw.slice(end)}`, parse);
    const content = contentOf(event);
    const addition = content && unquoted(raw.slice(from, end));
    missed = content ? 0 : missed + 1;
    if (!content || addition === null) return null;
    const isSame = repeated !== null && idOf(event) !== undefined && idOf(event) === idOf(repeated.event);
    known = { raw, start, end, text: repeated?.text ?? '', event: event as Known['event'], content };
    put(known, known.text + addition);
    return { event, appended: isSame ? addition : null };
  };

  return (raw: string): Snapshot => {
    const found = (known && grown(raw, known)) ?? (missed < maxMisses ? apart(raw) : null);
    return found ?? { event: parse(raw), appended: null };
  };
}

/** `===` compares slices as memory; `startsWith` compares characters, at ten times the cost. */
function same(a: string, atA: number, b: string, atB: number, length: number): boolean {
  return a.slice(atA, atA + length) === b.slice(atB, atB + length);
}

function put(known: Known, text: string): void {
  known.text = text;
  if (known.content.parts) known.content.parts[0] = text;
  else known.content.text = text;
}

/** The content with the placeholder as its text; null if the placeholder stands anywhere else. */
function contentOf(event: unknown): Known['content'] | null {
  const content = (event as { message?: { content?: Content | null } | null } | null)?.message?.content;
  if (typeof content !== 'object' || content === null) return null;
  const { parts, text } = content;
  if (parts === undefined) return text === placeholder ? (content as Known['content']) : null;
  const isOnly = Array.isArray(parts) && parts.length === 1 && parts[0] === placeholder && text === undefined;
  return isOnly ? (content as Known['content']) : null;
}

function idOf(event: unknown): string | undefined {
  return (event as Known['event']).message.id;
}

function parsed(raw: string, parse: (raw: string) => unknown): unknown {
  try {
    return parse(raw);
  } catch {
    return null;
  }
}

/** What stands between the quotes of a JSON string; null if that is none. */
function unquoted(raw: string): string | null {
  try {
    return JSON.parse(`"${raw}"`) as string;
  } catch {
    return null;
  }
}

function closingQuote(raw: string, from: number): number {
  for (let quote = raw.indexOf('"', from); quote >= 0; quote = raw.indexOf('"', quote + 1)) {
    let slashes = 0;
    while (quote - 1 - slashes >= from && raw.charCodeAt(quote - 1 - slashes) === 92) slashes++;
    if (slashes % 2 === 0) return quote;
  }
  return -1;
}
