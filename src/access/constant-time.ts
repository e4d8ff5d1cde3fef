/**
 * Whether two strings are equal, in a time that depends on the length of `given` alone, so that nobody can find a key
 * letter by letter from how long a refusal takes.
 */
export function equalInConstantTime(given: string, expected: string): boolean {
  let difference = given.length ^ expected.length;
  for (let i = 0; i < given.length; i++) {
    difference |= given.charCodeAt(i) ^ expected.charCodeAt(i % (expected.length || 1));
  }
  return difference === 0 && expected.length > 0;
}
