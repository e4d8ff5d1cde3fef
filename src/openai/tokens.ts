/**
 * Estimates how many tokens a text has: about four bytes of Latin text to a token, one and a half characters of other
 * scripts. Where it stands for a count, the answer says that it is an estimate.
 */
export function estimateTokens(text: string): number {
  let latin = 0;
  let other = 0;
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) < 0x250) latin++;
    else other++;
  }
  return Math.ceil(latin / 4 + other / 1.5);
}

/** Beyond this many characters a text is estimated: counting it would hold up everyone else. */
const maxCounted = 200_000;

/**
 * A tokenizer that no text can hang: an unbroken run costs it time by the square of its length, so texts are counted in short
 * pieces, cut where a word ends wherever one does.
 */
export function boundedCounter(count: (text: string) => number): (text: string) => number {
  return (text) => {
    if (text.length > maxCounted) return estimateTokens(text);
    let total = 0;
    for (const piece of text.match(/[\s\S]{1,400}(?=\s|$)|[\s\S]{1,400}/g) ?? []) total += count(piece);
    return total;
  };
}
