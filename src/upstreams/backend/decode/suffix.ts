import type { Message } from './message.ts';

/** A snapshot that was parsed whole, its text's place in the raw event, and the text. */
type Known = {
  raw: string;
  textEnd: number;
  event: { message: Message; [key: string]: unknown };
  parts: string[];
};

/** A cumulative event, and the text it adds where that is all that changed. */
export type Snapshot = { readonly event: unknown; readonly appended: string | null };

/**
 * Parses cumulative snapshots at the cost of what is new. Each event repeats all text so far; where an event is the one before with more
 * text and nothing else, by comparison of the raw strings, only the addition is parsed. Everything else is parsed whole, with the same result.
 */
export function createSnapshotParser(parse: (raw: string) => unknown = JSON.parse) {
  let known: Known | null = null;

  const whole = (raw: string): Snapshot => {
    const event = parse(raw);
    known = locate(raw, event);
    return { event, appended: null };
  };

  return (raw: string): Snapshot => {
    if (known === null) return whole(raw);
    const { raw: before, textEnd, event, parts } = known;
    const tail = before.length - textEnd;
    const grown = raw.length - before.length;
    // The tail first: it differs sooner where anything but the text changed.
    if (grown <= 0 || !sameTail(raw, before, tail) || !sameHead(raw, before, textEnd)) return whole(raw);
    const addition = raw.slice(textEnd, textEnd + grown);
    let text: unknown;
    try {
      text = JSON.parse(`"${addition}"`);
    } catch {
      return whole(raw);
    }
    if (typeof text !== 'string') return whole(raw);
    parts[0] += text;
    known.raw = raw;
    known.textEnd = textEnd + grown;
    return { event, appended: text };
  };
}

/** Slices compared by `===` are compared as memory; `startsWith` goes character by character, and costs ten times as much. */
function sameHead(raw: string, before: string, length: number): boolean {
  return raw.slice(0, length) === before.slice(0, length);
}

function sameTail(raw: string, before: string, length: number): boolean {
  return raw.slice(raw.length - length) === before.slice(before.length - length);
}

/** Finds where the text of a snapshot ends in its raw form; null where it is not the one plain string we look for. */
function locate(raw: string, event: unknown): Known | null {
  const { message } = (event ?? {}) as { message?: Message | null };
  const parts = message?.content?.parts;
  if (!message || !Array.isArray(parts) || parts.length !== 1 || typeof parts[0] !== 'string') return null;
  const name = raw.indexOf('"parts"');
  if (name < 0 || raw.indexOf('"parts"', name + 7) >= 0) return null;
  const open = /^"parts"\s*:\s*\[\s*"/.exec(raw.slice(name, name + 40));
  if (!open) return null;
  const start = name + open[0].length;
  const end = closingQuote(raw, start);
  if (end < 0 || unquoted(raw, start, end) !== parts[0]) return null;
  return { raw, textEnd: end, event: event as Known['event'], parts };
}

function unquoted(raw: string, start: number, end: number): string | null {
  try {
    return JSON.parse(raw.slice(start - 1, end + 1)) as string;
  } catch {
    return null;
  }
}

function closingQuote(raw: string, start: number): number {
  for (let quote = raw.indexOf('"', start); quote >= 0; quote = raw.indexOf('"', quote + 1)) {
    let slashes = 0;
    while (raw.charCodeAt(quote - 1 - slashes) === 92) slashes++;
    if (slashes % 2 === 0) return quote;
  }
  return -1;
}
