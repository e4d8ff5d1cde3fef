import type { Segment } from '../../../segments/segment.ts';
import { type Citation, type ContentReference, listOf, type Metadata } from '../decode/message.ts';
import { cited, referred, sourceOf, unreferred } from './sources.ts';

/** Where a mark, or the start of one, can stand: `【`, a private-use character, or the middle of a link to the sandbox. */
const start = /[\u3010\uE200-\uE2FF]|\]\(/;
const oldMark = /^【(\d{1,6})(?::(\d{1,6}))?†([^【】†]*)(?:†[^【】]*)?】/;
const oldMarkBegun = /^【(?:\d{0,6}|\d{1,6}:\d{0,6}|\d{1,6}(?::\d{1,6})?†[^【】]*)$/;
const sandbox = '](sandbox:';

/** Longest old mark that is waited for, in characters; past it the text goes out as it is. */
const longestOldMark = 64;
const longestLink = 1024;
/** Longest private-use mark: one that was opened and is not closed by then is no mark. Widgets carry some JSON. */
const longestPrivateMark = 16_384;

/**
 * Finds inline marks in text that arrives in pieces, and makes of each what a reader can use. Text is held back only while it may still
 * become a mark, or while what the mark refers to has not come. `messageId` is the message whose sandbox the links name.
 */
export function createMarkerParser(messageId: string) {
  let held = '';
  /** How much text there was before what is held, as the metadata's offsets may count it: in UTF-16 units, and in characters. */
  let units = 0;
  let characters = 0;

  const passed = (count: number): void => {
    units += count;
    characters += charactersIn(held, count);
    held = held.slice(count);
  };

  const drain = (metadata: Metadata | undefined, finished: boolean): Segment[] => {
    const out: Segment[] = [];
    while (held !== '') {
      const at = held.search(start);
      if (at < 0) {
        // A link to the sandbox may begin with the last character.
        const keep = !finished && held.endsWith(']') ? 1 : 0;
        plain(held.slice(0, held.length - keep), out);
        passed(held.length - keep);
        break;
      }
      plain(held.slice(0, at), out);
      passed(at);
      const taken = mark(metadata, finished, out);
      if (taken === 0) break;
      passed(taken);
    }
    return out;
  };

  /** Deals with the mark that `held` begins with; gives how many characters are done with, 0 to wait for more. */
  const mark = (metadata: Metadata | undefined, finished: boolean, out: Segment[]): number => {
    const first = held.charCodeAt(0);
    if (first === 0x3010) return numbered(listOf(metadata?.citations), finished, out);
    if (first !== 0x5d) return privateUse(listOf(metadata?.content_references), finished, out);
    return link(finished, out);
  };

  const numbered = (citations: readonly Citation[], finished: boolean, out: Segment[]): number => {
    const whole = oldMark.exec(held);
    if (whole) {
      const [mark, number = '', line] = whole;
      const citation =
        citations.find(({ start_ix }) => start_ix === units || start_ix === characters) ??
        sourceOf(citations, Number(number), line === undefined ? null : Number(line));
      if (!citation && !finished) return 0;
      if (citation) out.push(...cited(citation, number));
      return mark.length;
    }
    if (!finished && held.length <= longestOldMark && oldMarkBegun.test(held)) return 0;
    plain('【', out);
    return 1;
  };

  const privateUse = (references: readonly ContentReference[], finished: boolean, out: Segment[]): number => {
    if (held.charCodeAt(0) !== 0xe200) return 1;
    const end = held.indexOf('\uE201');
    const another = held.indexOf('\uE200', 1);
    if (end < 0 || (another >= 0 && another < end)) {
      const waits = another < 0 && !finished && held.length <= longestPrivateMark;
      return waits ? 0 : unclosed(held, another);
    }
    const text = held.slice(0, end + 1);
    const reference = references.find((each) => each.matched_text === text && each.invalid !== true);
    if (!reference && !finished) return 0;
    out.push(...(reference ? referred(reference, text) : unreferred(text)));
    return text.length;
  };

  const link = (finished: boolean, out: Segment[]): number => {
    if (!held.startsWith(sandbox)) {
      if (!finished && sandbox.startsWith(held)) return 0;
      plain('](', out);
      return 2;
    }
    const end = endOfLink(held);
    if (end > 0) {
      out.push({
        kind: 'file',
        asset: { from: 'sandbox', path: held.slice(sandbox.length, end), messageId },
      });
      return end + 1;
    }
    if (!finished && end === 0 && held.length < longestLink) return 0;
    plain(sandbox, out);
    return sandbox.length;
  };

  return {
    /** More text of the message, and the metadata it has by now; `finished` where neither will grow. */
    push(text: string, metadata: Metadata | undefined, finished: boolean): Segment[] {
      if (held === '' && !finished && !start.test(text) && !text.endsWith(']')) {
        units += text.length;
        characters += charactersIn(text, text.length);
        return text === '' ? [] : [{ kind: 'text', text }];
      }
      held += text;
      return drain(metadata, finished);
    },
  };
}

function plain(text: string, out: Segment[]): void {
  if (text === '') return;
  const last = out.at(-1);
  if (last?.kind === 'text') out[out.length - 1] = { kind: 'text', text: last.text + text };
  else out.push({ kind: 'text', text });
}

/** Where the closing bracket of a link stands, brackets in its path counted; 0 where it has not come, -1 where the line ended first. */
function endOfLink(text: string): number {
  let depth = 0;
  for (let i = sandbox.length; i < text.length; i++) {
    const character = text[i];
    if (character === '\n') return -1;
    if (character === '(') depth++;
    if (character === ')' && depth-- === 0) return i;
  }
  return 0;
}

function charactersIn(text: string, length: number): number {
  let count = length;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0xdc00 && code <= 0xdfff) count--;
  }
  return count;
}

/**
 * How much of a text to leave out that opens a mark and never closes it. At the end of a line of text that is all of it, for the mark was cut off;
 * else its kind and what hangs together with it, and what follows is text.
 */
function unclosed(text: string, another: number): number {
  const rest = another < 0 ? text : text.slice(0, another);
  if (rest.length <= 400 && !rest.includes('\n')) {
    // A mark whose arguments have begun was cut off; one with no argument yet may be followed by words.
    if (rest.includes('\uE202') || !/\s/.test(rest)) return rest.length;
  }
  return /^\uE200[a-z_]*(?:\uE202\S*)*/.exec(rest)?.[0].length ?? 1;
}
