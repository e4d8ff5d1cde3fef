/**
 * What a line that begins with `:::` is: a directive with what is shown of it, or nothing known.
 */
export type Directive = {
  readonly length: number;
  readonly text: string;
  /** Whether the block is open afterwards. */
  readonly opens: boolean;
};

const opening = ':::writing{';
/** Longest line of a directive, in characters. */
const longestLine = 1024;

/**
 * Reads the directive at `start`, which begins a line: `:::writing{variant="email" subject="Hi"}`
 * opens a block of text that is shown with its subject as a heading, and `:::` closes it.
 */
export function directiveAt(
  text: string,
  start: number,
  isOpen: boolean,
  isWhole: boolean,
): Directive | 'wait' | 'none' {
  if (isOpen) {
    const next = text[start + 3];
    if (next === undefined) return isWhole ? { length: 3, text: '', opens: false } : 'wait';
    return next === '\n' ? { length: 3, text: '', opens: false } : 'none';
  }
  const begun = text.slice(start, start + opening.length);
  if (begun !== opening) return !isWhole && opening.startsWith(begun) ? 'wait' : 'none';
  const newline = text.slice(start, start + longestLine).indexOf('\n');
  if (newline < 0 && !isWhole && text.length - start < longestLine) return 'wait';
  const end = newline < 0 ? Math.min(text.length, start + longestLine) : start + newline;
  const line = text.slice(start, end).trimEnd();
  if (!line.endsWith('}')) return 'none';
  const subject = attribute(line, 'subject');
  return {
    length: end - start + (newline < 0 ? 0 : 1),
    text: subject === '' ? '' : `**${subject}**\n\n`,
    opens: true,
  };
}

/** The value of `name="value"`, with `\"` read as a quote; empty if there is none. */
function attribute(line: string, name: string): string {
  const at = line.indexOf(`${name}="`);
  if (at < 0) return '';
  let value = '';
  for (let i = at + name.length + 2; i < line.length; i++) {
    if (line[i] === '"') return value.replaceAll('*', '').trim();
    if (line[i] === '\\') i++;
    value += line[i] ?? '';
  }
  return '';
}
