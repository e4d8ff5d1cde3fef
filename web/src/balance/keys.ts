/**
 * Reads pasted keys: one a line, or separated by commas or spaces. Each is read once; `odd` holds
 * what cannot be a key.
 */
export function readKeys(text: string): { keys: readonly string[]; odd: readonly string[] } {
  const words = [...new Set(text.split(/[\s,;]+/).filter(Boolean))];
  const isKey = (word: string) => /^[\x21-\x7e]{8,512}$/.test(word) && !/^https?:/.test(word);
  return { keys: words.filter(isKey), odd: words.filter((word) => !isKey(word)) };
}

/** The beginning and the end of a key, which may be shown. */
export function masked(key: string): string {
  return key.length <= 12 ? `${key.slice(0, 3)}…` : `${key.slice(0, 7)}…${key.slice(-4)}`;
}
