import type { Segment } from '../../../segments/segment.ts';
import { listOf, type Metadata } from '../decode/message.ts';
import { directiveAt } from './directives.ts';
import type { MarkerOptions, TextState } from './marker-options.ts';
import { createMarkerOutput } from './marker-output.ts';
import {
  endOfLink,
  isPlain,
  joinsBefore,
  longestLink,
  nextStart,
  oldMarker,
  oldMarkerBegun,
  safeEnd,
  sandbox,
  unclosedLength,
} from './marker-syntax.ts';
import { cited, isReady, type Made, referenceFor, referred, sourceOf, unreferred } from './sources.ts';
import { createTextOffsets } from './text-offsets.ts';
import { trackingAt } from './tracking.ts';

/** Longest unfinished `【` marker that is held back, in characters. */
const longestOldMarker = 64;
/** Longest private-use marker: widgets carry some JSON. A longer one is no marker. */
const longestPrivateMarker = 16_384;
/** How much text may follow a marker before it is decided without its reference, in characters. */
const longestWait = 256;
/** Most markers of a message whose sources are looked for again at its end. */
const maxUnresolved = 200;
/** Positions of a character that was not looked for yet, and that is not there. */
const [unknown, none] = [-2, -1];

const nothing: Made = { segments: [], isApart: false };

/**
 * Finds inline markers in text that arrives in pieces, and makes of each what a reader can use.
 * Text is held back only while it may become a marker, or for a short while after a marker whose
 * reference has not come. Each character is looked at a bounded number of times.
 */
export function createMarkerParser({ messageId, isCode = false, results, waits }: MarkerOptions) {
  const output = createMarkerOutput();
  let held = '';
  const offsets = createTextOffsets();
  /** The last character before `held`; a line begins at the start. */
  let previous = '\n';
  let inWriting = false;
  /** Whether `held` ends in a marker that is not closed, and what came after it. */
  let isUnclosed = false;
  let more: string[] = [];
  let moreLength = 0;
  const unresolved: string[] = [];
  // For the drain that runs now.
  let metadata: Metadata | undefined;
  let state: TextState = 'growing';
  let closeAt = unknown;

  const before = (at: number): string => (at > 0 ? (held[at - 1] as string) : previous);

  /** Consumes the text that is done with. */
  const pass = (count: number): void => {
    if (count === 0) return;
    offsets.pass(held, count);
    previous = held[count - 1] as string;
    held = held.slice(count);
  };

  /** Whether an unclosed marker stays so. Its pieces are kept apart, and looked at once. */
  const goesOn = (text: string): boolean =>
    !/[\uE200\uE201]/.test(text) && held.length + moreLength + text.length <= longestPrivateMarker;

  const join = (): void => {
    held += more.join('');
    more = [];
    moreLength = 0;
    isUnclosed = false;
  };

  const drain = (): void => {
    let at = 0;
    closeAt = unknown;
    while (at < held.length) {
      const start = nextStart(held, at, isCode);
      if (start < 0) {
        const isFinal = state !== 'growing' || isCode;
        const end = isFinal ? held.length : Math.max(at, safeEnd(held, previous, inWriting));
        output.text(held.slice(at, end));
        at = end;
        break;
      }
      // The blank or line end before a marker may go with it.
      const joined = start > at && joinsBefore(held, start, inWriting) ? 1 : 0;
      output.text(held.slice(at, start - joined));
      const waiting = output.takeBlank();
      const taken = marker(start, joined === 1 ? (held[start - 1] as string) : waiting);
      if (taken === 0) {
        output.keepBlank(waiting);
        at = start - joined;
        break;
      }
      at = start + taken;
    }
    pass(at);
  };

  /** Handles the marker at `start`; gives how many characters are done with, 0 to wait. */
  const marker = (start: number, joined: string): number => {
    const code = held.charCodeAt(start);
    if (code === 0x3010) return numbered(start, joined);
    if (code === 0x5d) return link(start);
    if (code === 0x3a) return directive(start, joined);
    return code < 0x100 ? tracking(start) : privateUse(start, joined);
  };

  const put = (made: Made, joined: string, start: number, end: number): void =>
    output.put(made, joined, before(start), held[end]);

  /** Whether to wait: for the reference of the marker that ends at `end`, or the next character. */
  const isWaiting = (end: number): boolean => {
    const after = held.length - end;
    if (!waits) return state === 'growing' && after === 0;
    return state !== 'closed' && after <= longestWait;
  };

  const numbered = (start: number, joined: string): number => {
    oldMarker.lastIndex = start;
    const whole = oldMarker.exec(held);
    if (!whole) {
      oldMarkerBegun.lastIndex = start;
      const isBegun = held.length - start <= longestOldMarker && oldMarkerBegun.test(held);
      if (state === 'growing' && isBegun) return 0;
      output.text(`${joined}【`);
      return 1;
    }
    const [text, number = '', line] = whole;
    const end = start + text.length;
    const citations = listOf(metadata?.citations);
    const places = offsets.at(held, start);
    const citation =
      citations.find(({ start_ix }) => start_ix !== undefined && places.includes(start_ix)) ??
      sourceOf(citations, Number(number), line === undefined ? null : Number(line));
    const reference = referenceFor(text, metadata);
    if (!citation && !(reference && isReady(reference, isPast(end))) && isWaiting(end)) return 0;
    const made = citation ? cited(citation, number) : reference ? referred(reference, text) : nothing;
    put(made, joined, start, end);
    return text.length;
  };

  /** Whether the text went on after a marker, so that its reference is as good as it gets. */
  const isPast = (end: number): boolean => end < held.length || state !== 'growing';

  const privateUse = (start: number, joined: string): number => {
    if (held.charCodeAt(start) !== 0xe200) {
      if (state === 'growing' && start + 1 === held.length) return 0;
      put(nothing, joined, start, start + 1);
      return 1;
    }
    if (closeAt !== none && closeAt < start) closeAt = held.indexOf('\uE201', start);
    const another = held.indexOf('\uE200', start + 1);
    const isCut = closeAt < 0 || (another >= 0 && another < closeAt);
    if (isCut || closeAt - start > longestPrivateMarker) {
      const isOpen = another < 0 && state === 'growing' && held.length - start <= longestPrivateMarker;
      isUnclosed = isCut && isOpen;
      if (isUnclosed) return 0;
      const taken = unclosedLength(held, start, another < 0 ? held.length : another);
      put(nothing, joined, start, start + taken);
      return taken;
    }
    const end = closeAt + 1;
    const text = held.slice(start, end);
    const reference = referenceFor(text, metadata);
    if (!(reference && isReady(reference, isPast(end))) && isWaiting(end)) return 0;
    let made = reference ? referred(reference, text) : nothing;
    if (made.segments.length === 0) made = unreferred(text, results);
    if (made.segments.length === 0 && unresolved.length < maxUnresolved) unresolved.push(text);
    put(made, joined, start, end);
    return text.length;
  };

  const link = (start: number): number => {
    if (messageId === null || !held.startsWith(sandbox, start)) {
      const rest = held.slice(start, start + sandbox.length);
      if (messageId !== null && state === 'growing' && sandbox.startsWith(rest)) return 0;
      output.text('](');
      return 2;
    }
    const end = endOfLink(held, start + sandbox.length);
    if (end > 0) {
      const path = held.slice(start + sandbox.length, end);
      output.segment({ kind: 'file', asset: { from: 'sandbox', path, messageId } });
      return end + 1 - start;
    }
    if (state === 'growing' && end === 0 && held.length - start < longestLink) return 0;
    output.text(sandbox);
    return sandbox.length;
  };

  const directive = (start: number, joined: string): number => {
    const found = before(start) === '\n' ? directiveAt(held, start, inWriting, state !== 'growing') : 'none';
    if (found === 'wait') return 0;
    if (found === 'none') {
      output.text(`${joined}:::`);
      return 3;
    }
    inWriting = found.opens;
    output.text((found.opens ? joined : '') + found.text);
    return found.length;
  };

  const tracking = (start: number): number => {
    const found = trackingAt(held, start, state !== 'growing');
    if (found === 'wait') return 0;
    // `?a&b` without `a` is `?b`: the question mark stays, the `&` goes.
    const keepsMark = found > 0 && held[start] === '?' && held[start + found] === '&';
    if (found === 0 || keepsMark) output.text(held[start] as string);
    return keepsMark ? found + 1 : Math.max(found, 1);
  };

  return {
    /** How many characters wait here, and were not given out. */
    held: (): number => held.length + moreLength,
    /** The markers that became nothing: their source may still come. */
    unresolved: (): readonly string[] => unresolved,
    /** Takes back the last `count` characters, which wait here. */
    takeBack(count: number): void {
      join();
      held = held.slice(0, Math.max(held.length - count, 0));
    },
    /** More text of the message, and the metadata it has by now. */
    push(text: string, present: Metadata | undefined, now: TextState): Segment[] {
      if (held === '' && now === 'growing' && isPlain(text, isCode) && !(inWriting && text.includes('\n'))) {
        if (text === '') return [];
        offsets.pass(text, text.length);
        previous = text[text.length - 1] as string;
        return [{ kind: 'text', text }];
      }
      if (isUnclosed && now === 'growing' && goesOn(text)) {
        more.push(text);
        moreLength += text.length;
        return [];
      }
      join();
      held += text;
      metadata = present;
      state = now;
      drain();
      metadata = undefined;
      return output.take();
    },
  };
}
