/**
 * Follows one text that is sent again and again as it grows, and tells what is new. A text that shrinks is waited for. One
 * that rewrites what was said already goes on after what the two have in common, once it is longer or finished: what was sent cannot be unsaid.
 */
export function createTextDiff() {
  let sent = '';
  let latest = '';
  /** Whether all of the latest text was sent. */
  let level = true;

  const next = (text: string, appended: string | null, finished: boolean): string => {
    latest = text;
    // Lengths alone are compared here: the text may be a rope that comparing would flatten, once for each token.
    if (
      appended !== null &&
      level &&
      sent.length + appended.length === text.length &&
      endsWhole(appended) &&
      appended !== ''
    ) {
      sent = text;
      return appended;
    }
    const said = finished ? text : withoutHalf(text);
    level = said.length === text.length;
    if (said.slice(0, sent.length) === sent) {
      const added = said.slice(sent.length);
      sent = said;
      return added;
    }
    level = false;
    if (sent.startsWith(said) || !(finished || said.length > sent.length)) return '';
    const added = said.slice(common(sent, said));
    sent = said;
    level = said.length === text.length;
    return added;
  };

  return {
    /** What is new of `text`; `appended` is the addition, where the sender said that there is nothing else. */
    next,
    /** What was waited with, for a text that is given up before it is finished. */
    rest: (): string => (level ? '' : next(latest, null, true)),
  };
}

/** How many characters the two begin with alike; never half of one. */
function common(a: string, b: string): number {
  let i = 0;
  while (i < a.length && i < b.length && a.charCodeAt(i) === b.charCodeAt(i)) i++;
  const code = b.charCodeAt(i);
  return i > 0 && code >= 0xdc00 && code <= 0xdfff ? i - 1 : i;
}

/**
 * A character of several tokens comes in pieces: as U+FFFD, or as half a surrogate pair, until the rest of it is there.
 * It is waited for, since it will be another one.
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
