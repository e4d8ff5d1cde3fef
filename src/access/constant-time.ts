/**
 * Whether two strings are equal. The time depends on the length of `presented` alone, so that a key
 * cannot be guessed character by character from the time of a refusal.
 */
export function equalInConstantTime(presented: string, expected: string): boolean {
  let difference = presented.length ^ expected.length;
  for (let i = 0; i < presented.length; i++) {
    difference |= presented.charCodeAt(i) ^ expected.charCodeAt(i % (expected.length || 1));
  }
  return difference === 0 && expected.length > 0;
}
