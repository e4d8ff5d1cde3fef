/**
 * Text in a code fence, arriving in pieces. The fence is longer than any run of backticks that begins a line inside it: where one comes that is as
 * long, the fence is closed and a longer one opened. Held back is only what may still become such a run.
 */
export function createFence(language: string) {
  let length = 3;
  let begun = false;
  /** What the present line begins with, while that is but spaces and backticks. */
  let lead: string | null = '';
  let last = '';

  const open = (): string => `${'`'.repeat(length)}${language}\n`;
  const emit = (text: string): string => {
    if (text === '') return '';
    last = text;
    if (begun) return text;
    begun = true;
    return open() + text;
  };

  /** The run of backticks that begins a line, made safe. */
  const settled = (line: string): string => {
    const run = /^ {0,3}(`+)/.exec(line)?.[1]?.length ?? 0;
    if (run < length) return emit(line);
    if (!begun) {
      length = run + 1;
      return emit(line);
    }
    const close = `${'`'.repeat(length)}\n`;
    length = run + 1;
    last = line;
    return `${close}${open()}${line}`;
  };

  return {
    push(text: string): string {
      let out = '';
      for (const piece of text.split(/(?<=\n)/)) {
        if (lead === null) out += emit(piece);
        else {
          lead += piece;
          if (/^ {0,3}`*$/.test(lead)) continue;
          out += settled(lead);
        }
        lead = piece.endsWith('\n') ? '' : null;
      }
      return out;
    },
    /** Ends the block: what was held, and the closing fence; nothing at all where nothing was in it. */
    end(): string {
      const rest = lead === null || lead === '' ? '' : settled(lead);
      if (!begun) return '';
      return `${rest}${last.endsWith('\n') ? '' : '\n'}${'`'.repeat(length)}`;
    },
  };
}
