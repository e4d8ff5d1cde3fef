/** Where a pattern was found. */
export type Match = { readonly start: number; readonly end: number };

/** A piece of a pattern: text as it is, or any text, with line ends (`isAcross`) or without. */
type Piece = { readonly text: string } | { readonly isAcross: boolean; readonly isLazy: boolean };

const longestPattern = 10_000;

/**
 * Finds what a regular expression of the upstream means, without running it: a stranger's pattern
 * could take for ever. It understands text, escapes, `.*` and `[\s\S]*`, which are the patterns
 * that documents are updated with. Null if there is no match or the pattern is anything else.
 */
export function findPattern(text: string, pattern: string, from: number): Match | null {
  if (pattern.length > longestPattern) return null;
  const pieces = piecesOf(pattern);
  if (pieces === null) {
    const at = text.indexOf(pattern, from);
    return at < 0 ? null : { start: at, end: at + pattern.length };
  }
  // `.*` alone stands for the whole document.
  if (pieces.every((piece) => !('text' in piece))) return { start: 0, end: text.length };
  let start = -1;
  let at = from;
  let gap: Exclude<Piece, { text: string }> | null = null;
  for (const [i, piece] of pieces.entries()) {
    if (!('text' in piece)) {
      if (start < 0) start = piece.isAcross ? from : -1;
      gap = piece;
      continue;
    }
    const isGreedy = gap !== null && !gap.isLazy && i === pieces.length - 1;
    const limit = gap && !gap.isAcross && start >= 0 ? lineEnd(text, at) : text.length;
    const next: number = isGreedy
      ? text.lastIndexOf(piece.text, limit - piece.text.length)
      : text.indexOf(piece.text, at);
    if (next < at || next + piece.text.length > limit) return null;
    if (start < 0) start = gap ? text.lastIndexOf('\n', next) + 1 : next;
    at = next + piece.text.length;
    gap = null;
  }
  if (gap && !gap.isLazy) at = gap.isAcross ? text.length : lineEnd(text, at);
  return { start: Math.max(start, from), end: at };
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end;
}

/** The pieces of a pattern; null if it holds anything else that has a meaning. */
function piecesOf(pattern: string): Piece[] | null {
  const pieces: Piece[] = [];
  let literal = '';
  const flush = () => {
    if (literal !== '') pieces.push({ text: literal });
    literal = '';
  };
  for (let i = 0; i < pattern.length; ) {
    const any = /(?:\.|\[\\s\\S\]|\[\\S\\s\]|\(\.\|\\n\))[*+](\?)?/y;
    any.lastIndex = i;
    const match = any.exec(pattern);
    if (match) {
      flush();
      if (pieces.length > 64) return null;
      pieces.push({ isAcross: match[0][0] !== '.', isLazy: match[1] !== undefined });
      i += match[0].length;
      continue;
    }
    const character = pattern[i] as string;
    if (character === '\\') {
      const escaped = pattern[i + 1];
      if (escaped === undefined) return null;
      const control = { n: '\n', t: '\t', r: '\r' }[escaped];
      // Other letters and digits are classes and references.
      if (control === undefined && /\w/.test(escaped)) return null;
      literal += control ?? escaped;
      i += 2;
      continue;
    }
    if (/[$^*+?()[\]{}|.]/.test(character)) return null;
    literal += character;
    i++;
  }
  flush();
  return pieces;
}
