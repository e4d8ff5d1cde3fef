import { heldTracking } from './tracking.ts';

/**
 * What can begin a marker: `【`, a private-use character, a link, a directive, a tracking parameter.
 */
const anyStart = /[\u3010\uE200-\uE2FF]|\]\(|:::|[?&]utm_/g;
/** Most text holds none of these, and needs no closer look. */
const mayHoldMarker = /[\u3010\uE200-\uE2FF\]:?&]/;
/** Code has no markers but the private-use ones: everything else may be meant. */
const codeStart = /[\uE200-\uE2FF]/g;
export const oldMarker = /【(\d{1,6})(?::(\d{1,6}))?†([^【】†]{0,200})(?:†[^【】]{0,200})?】/y;
export const oldMarkerBegun = /【(?:\d{0,6}|\d{1,6}:\d{0,6}|\d{1,6}(?::\d{1,6})?†[^【】]{0,64})$/y;
export const sandbox = '](sandbox:';
export const longestLink = 1024;

/** Where the first marker at or after `from` may begin; -1 if there is none. */
export function nextStart(text: string, from: number, isCode: boolean): number {
  const start = isCode ? codeStart : anyStart;
  start.lastIndex = from;
  return start.exec(text)?.index ?? -1;
}

/** Whether the blank or line end before a marker may go with it. */
export function joinsBefore(text: string, start: number, inWriting: boolean): boolean {
  const code = text.charCodeAt(start);
  if (code === 0x3a) return inWriting && text[start - 1] === '\n';
  return (code === 0x3010 || (code >= 0xe200 && code <= 0xe2ff)) && text[start - 1] === ' ';
}

/** Whether a piece holds no marker and cannot end with the beginning of one. */
export function isPlain(text: string, isCode: boolean): boolean {
  if (isCode) return nextStart(text, 0, true) < 0;
  if (!mayHoldMarker.test(text)) return text.charCodeAt(text.length - 1) !== 0x20;
  if (nextStart(text, 0, false) >= 0) return false;
  const last = text.charCodeAt(text.length - 1);
  // `]`, a blank, and `:` can come before or in a marker.
  return last !== 0x5d && last !== 0x20 && last !== 0x3a && heldTracking(text) === 0;
}

/**
 * Where a text must stop that goes on: the rest may become a marker. `previous` is what came before
 * it.
 */
export function safeEnd(text: string, previous: string, inWriting: boolean): number {
  const last = text[text.length - 1];
  let keep = heldTracking(text);
  if (last === ']' || last === ' ') keep = Math.max(keep, 1);
  else if (last === ':') {
    const colons = text.endsWith('::') ? 2 : 1;
    const start = text.length - colons;
    const before = start > 0 ? text[start - 1] : previous;
    if (before === '\n') keep = Math.max(keep, colons + (inWriting && start > 0 ? 1 : 0));
  } else if (inWriting && last === '\n') keep = Math.max(keep, 1);
  return text.length - keep;
}

/**
 * Where the closing bracket of a link stands, brackets in its path counted. 0 if it has not come,
 * -1 if the line ended first or the path is too long.
 */
export function endOfLink(text: string, from: number): number {
  let depth = 0;
  const limit = Math.min(text.length, from + longestLink);
  for (let i = from; i < limit; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x0a) return -1;
    if (code === 0x28) depth++;
    if (code === 0x29 && depth-- === 0) return i;
  }
  return limit < text.length ? -1 : 0;
}

/**
 * How much to leave out of a text that opens a marker and never closes it. At the end of a line
 * that is all of it, because the marker was cut off. Otherwise it is the kind and the arguments,
 * and what follows is text.
 */
export function unclosedLength(text: string, start: number, end: number): number {
  const rest = text.slice(start, Math.min(end, start + 401));
  if (end - start <= 400 && !rest.includes('\n')) {
    // If its arguments have begun, it was cut off. Before that, words may follow the kind.
    if (rest.includes('\uE202') || !/\s/.test(rest)) return end - start;
  }
  let i = start + 1;
  while (i < end && /[a-z_]/.test(text[i] as string)) i++;
  if (text[i] === '\uE202') while (i < end && !/\s/.test(text[i] as string)) i++;
  return i - start;
}
