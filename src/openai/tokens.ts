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
