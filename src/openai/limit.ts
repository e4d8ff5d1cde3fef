/** How much of an answer a caller wants. */
export type LimitOptions = {
  readonly stop: readonly string[];
  /** Most tokens; null for any number. */
  readonly maxTokens: number | null;
  readonly countTokens: (text: string) => number;
};

/** What may go out, and whether that is the end. */
export type Limited = { readonly text: string; readonly ended: 'stop' | 'length' | null };

/**
 * Applies `stop` and `max_tokens` if the upstream does not. Text is held back only while it may be
 * the beginning of a stop sequence. Tokens are counted piece by piece, so that a limit cuts between
 * pieces, or within one by halves.
 */
export function createLimit({ stop, maxTokens, countTokens }: LimitOptions) {
  const sequences = stop.filter((sequence) => sequence !== '');
  let held = '';
  let tokens = 0;
  let ended: Limited['ended'] = null;

  const counted = (text: string): Limited => {
    if (text === '') return { text, ended };
    if (maxTokens === null) return { text, ended };
    const cost = countTokens(text);
    if (tokens + cost <= maxTokens) {
      tokens += cost;
      return { text, ended };
    }
    ended = 'length';
    return { text: fitting(text, maxTokens - tokens, countTokens), ended };
  };

  return {
    push(text: string): Limited {
      if (ended) return { text: '', ended };
      if (sequences.length === 0) return counted(text);
      held += text;
      const found = sequences.map((sequence) => held.indexOf(sequence)).filter((at) => at >= 0);
      if (found.length > 0) {
        const before = counted(held.slice(0, Math.min(...found)));
        held = '';
        ended ??= 'stop';
        return { text: before.text, ended };
      }
      const keep = longestBeginning(held, sequences);
      const out = held.slice(0, held.length - keep);
      held = held.slice(held.length - keep);
      return counted(out);
    },
    /** What was held back and turned out to be no stop sequence. */
    end(): Limited {
      const rest = held;
      held = '';
      return ended ? { text: '', ended } : counted(rest);
    },
  };
}

/** How many of the last characters may be the beginning of a sequence. */
function longestBeginning(text: string, sequences: readonly string[]): number {
  const most = Math.max(...sequences.map((sequence) => sequence.length - 1), 0);
  for (let length = Math.min(most, text.length); length > 0; length--) {
    const end = text.slice(text.length - length);
    if (sequences.some((sequence) => sequence.length > length && sequence.startsWith(end))) return length;
  }
  return 0;
}

/** The longest beginning of a text that costs no more than the budget, whole characters only. */
function fitting(text: string, budget: number, countTokens: (text: string) => number): string {
  const characters = [...text];
  let [low, high] = [0, characters.length];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (countTokens(characters.slice(0, middle).join('')) <= budget) low = middle;
    else high = middle - 1;
  }
  return characters.slice(0, low).join('');
}
