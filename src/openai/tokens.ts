/**
 * Estimates how many tokens a text has: about four bytes of Latin text to a token, one and a half
 * characters of other scripts. If it stands for a count, the answer says that it is an estimate.
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

/** A text of more characters is estimated: counting it would block every other request. */
const maxCounted = 200_000;

/**
 * A tokenizer that no text can block or break. An unbroken run costs it the square of its length,
 * so texts are counted in short pieces, cut where a word ends if one does. A piece that it throws
 * at is estimated.
 */
export function boundedCounter(count: (text: string) => number): (text: string) => number {
  const counted = (piece: string): number => {
    try {
      return count(piece);
    } catch {
      return estimateTokens(piece);
    }
  };
  return (text) => {
    if (text.length > maxCounted) return estimateTokens(text);
    let total = 0;
    for (const piece of text.match(/[\s\S]{1,400}(?=\s|$)|[\s\S]{1,400}/g) ?? []) total += counted(piece);
    return total;
  };
}
