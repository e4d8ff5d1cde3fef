/** What a snapshot changes: how much of the text before still stands, and what comes after that. */
export type TextChange = {
  readonly kept: number;
  readonly added: string;
  /** Whether visible text changed. Then nothing is kept: `added` is the whole corrected text. */
  readonly isCorrection: boolean;
};

/**
 * Follows one text that is sent again and again as it grows. Text that was sent cannot be
 * retracted: if visible text changes, the whole corrected text comes once more. It does so at once
 * the first time, and from then on only when the text is finished, so that it costs at most three
 * times itself.
 */
export function createTextDiff() {
  let sent = '';
  let latest = '';
  /** Whether all of the latest text was sent. */
  let isLevel = true;
  let isCorrected = false;

  const correction = (text: string): TextChange => {
    isCorrected = true;
    sent = text;
    return { kept: 0, added: text, isCorrection: true };
  };

  /** Compares with the text before; `held` of its last characters are not visible yet. */
  const compare = (text: string, finished: boolean, held: number): TextChange | null => {
    if (text.slice(0, sent.length) === sent) {
      const kept = sent.length;
      sent = text;
      return text.length === kept ? null : { kept, added: text.slice(kept), isCorrection: false };
    }
    const kept = commonLength(sent, text);
    const isShorter = kept === text.length;
    // A shorter text may grow again.
    if (isShorter && !finished) return null;
    const changed = sent.slice(kept, Math.max(sent.length - held, kept));
    if (changed === '') {
      sent = text;
      return { kept, added: text.slice(kept), isCorrection: false };
    }
    if (isShorter && changed.trim() === '') return null;
    return isCorrected && !finished ? null : correction(text);
  };

  const next = (text: string, appended: string | null, finished: boolean, held = 0): TextChange | null => {
    latest = text;
    // Only lengths are compared here: the text may be a rope, and comparing would flatten it.
    if (
      appended !== null &&
      isLevel &&
      sent.length + appended.length === text.length &&
      appended !== '' &&
      endsWhole(appended)
    ) {
      const kept = sent.length;
      sent = text;
      return { kept, added: appended, isCorrection: false };
    }
    const change = compare(finished ? text : withoutHalf(text), finished, held);
    isLevel = sent === text;
    return change;
  };

  return {
    /** What is new; `appended` is the addition, if the sender said that nothing else changed. */
    next,
    /** The text that was sent so far. */
    sent: (): string => sent,
    /** What was waited with, for a text that ends before it is finished. */
    rest: (held = 0): TextChange | null => (isLevel ? null : next(latest, null, true, held)),
  };
}

/** How many characters the two begin with alike; never half of one. */
function commonLength(a: string, b: string): number {
  let i = 0;
  while (i < a.length && i < b.length && a.charCodeAt(i) === b.charCodeAt(i)) i++;
  const code = b.charCodeAt(i);
  return i > 0 && code >= 0xdc00 && code <= 0xdfff ? i - 1 : i;
}

/**
 * A character of several tokens comes in pieces: as U+FFFD, or as half a surrogate pair, until the
 * rest of it is there. It is waited for, because it will be another one.
 */
function endsWhole(text: string): boolean {
  const code = text.charCodeAt(text.length - 1);
  return code !== 0xfffd && !(code >= 0xd800 && code <= 0xdbff);
}

function withoutHalf(text: string): string {
  let end = text.length;
  while (end > 0 && !endsWhole(text.slice(end - 1, end))) end--;
  return end === text.length ? text : text.slice(0, end);
}
