/**
 * Follows one text that is sent again and again as it grows, and tells what is new. A text that shrinks is waited for. One
 * that rewrites what was said already goes on after what the two have in common, once it is longer or finished: what was sent cannot be unsaid.
 */
export function createGrowing() {
  let sent = '';
  return {
    /** What is new of `text`; `appended` is the addition, where the sender said that there is nothing else. */
    next(text: string, appended: string | null, finished: boolean): string {
      // Lengths alone are compared here: the text may be a rope that comparing would flatten, once for each token.
      if (appended !== null && sent.length + appended.length === text.length) {
        sent = text;
        return appended;
      }
      if (text.startsWith(sent)) {
        const added = text.slice(sent.length);
        sent = text;
        return added;
      }
      if (sent.startsWith(text) || !(finished || text.length > sent.length)) return '';
      const added = text.slice(common(sent, text));
      sent = text;
      return added;
    },
  };
}

function common(a: string, b: string): number {
  let i = 0;
  while (i < a.length && i < b.length && a.charCodeAt(i) === b.charCodeAt(i)) i++;
  // Not into the middle of a character.
  const code = b.charCodeAt(i);
  return i > 0 && code >= 0xdc00 && code <= 0xdfff ? i - 1 : i;
}
