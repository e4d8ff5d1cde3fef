/**
 * Text in a code fence, arriving in pieces. The fence is longer than any run of backticks that
 * begins a line inside it: if one comes that is as long, the fence is closed and a longer one
 * opened. A run is counted, not kept, so that its length costs nothing.
 */
export function createFence(language: string) {
  let length = 3;
  let isBegun = false;
  /** The blanks and backticks that the present line begins with; null past them. */
  let lead: { blanks: number; ticks: number } | null = { blanks: 0, ticks: 0 };
  let last = '';

  const open = (): string => `${'`'.repeat(length)}${language}\n`;
  const emit = (text: string): string => {
    if (text === '') return '';
    last = text[text.length - 1] as string;
    if (isBegun) return text;
    isBegun = true;
    return open() + text;
  };

  /** The beginning of a line, made safe. */
  const settle = (): string => {
    if (lead === null) return '';
    const { blanks, ticks } = lead;
    lead = null;
    const text = ' '.repeat(blanks) + '`'.repeat(ticks);
    if (blanks > 3 || ticks < length) return emit(text);
    const close = isBegun ? `${'`'.repeat(length)}\n` : '';
    length = ticks + 1;
    last = '`';
    isBegun = true;
    return `${close}${open()}${text}`;
  };

  /** One line, or a piece of one. */
  const push = (piece: string): string => {
    let at = 0;
    while (lead !== null && at < piece.length) {
      const code = piece.charCodeAt(at);
      if (code === 0x20 && lead.ticks === 0 && lead.blanks < 4) lead.blanks++;
      else if (code === 0x60 && lead.blanks < 4) lead.ticks++;
      else break;
      at++;
    }
    const rest = piece.slice(at);
    return rest === '' ? '' : settle() + emit(rest);
  };

  return {
    push(text: string): string {
      let out = '';
      let from = 0;
      while (from < text.length) {
        const newline = text.indexOf('\n', from);
        const end = newline < 0 ? text.length : newline + 1;
        out += push(text.slice(from, end));
        if (newline >= 0) lead = { blanks: 0, ticks: 0 };
        from = end;
      }
      return out;
    },
    /**
     * Ends the block: what was held, and the closing fence; nothing at all if nothing was in it.
     */
    end(): string {
      const isHeld = lead !== null && lead.blanks + lead.ticks > 0;
      const rest = isHeld ? settle() : '';
      if (!isBegun) return '';
      return `${rest}${last === '\n' ? '' : '\n'}${'`'.repeat(length)}`;
    },
  };
}

/** What closes the code fence that a Markdown text leaves open; empty if it leaves none. */
export function unclosedFence(text: string): string {
  let open = '';
  for (let from = 0; from < text.length; ) {
    const newline = text.indexOf('\n', from);
    const end = newline < 0 ? text.length : newline;
    const fence = fenceAt(text, from, end);
    if (fence !== null) {
      if (open === '') open = fence.run;
      else if (fence.isBare && fence.run[0] === open[0] && fence.run.length >= open.length) open = '';
    }
    from = end + 1;
  }
  return open === '' ? '' : `${text.endsWith('\n') ? '' : '\n'}${open}\n`;
}

function fenceAt(text: string, from: number, end: number): { run: string; isBare: boolean } | null {
  let start = from;
  while (start < end && start < from + 3 && text[start] === ' ') start++;
  const mark = text[start];
  if (mark !== '`' && mark !== '~') return null;
  let stop = start;
  while (stop < end && text[stop] === mark) stop++;
  if (stop - start < 3) return null;
  return { run: mark.repeat(stop - start), isBare: text.slice(stop, end).trim() === '' };
}
