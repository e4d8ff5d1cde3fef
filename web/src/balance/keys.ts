/** Keys as somebody pasted them: one a line, or with commas and spaces between; each once, and what looks like no key apart. */
export function readKeys(text: string): { keys: readonly string[]; odd: readonly string[] } {
  const words = [...new Set(text.split(/[\s,;]+/).filter(Boolean))];
  const isKey = (word: string) => /^[\x21-\x7e]{8,512}$/.test(word) && !/^https?:/.test(word);
  return { keys: words.filter(isKey), odd: words.filter((word) => !isKey(word)) };
}

/** A key as it may be shown: its beginning and its end. */
export function masked(key: string): string {
  return key.length <= 12 ? `${key.slice(0, 3)}…` : `${key.slice(0, 7)}…${key.slice(-4)}`;
}
