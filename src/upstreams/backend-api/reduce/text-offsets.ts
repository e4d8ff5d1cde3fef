/**
 * Counts text as the metadata's offsets may count it: in UTF-16 units, or in characters. Each
 * character is counted once.
 */
export function createTextOffsets() {
  let units = 0;
  let characters = 0;
  /** Within the text that is read now: how far it was counted, and how many characters that are. */
  let countedTo = 0;
  let counted = 0;

  const countTo = (text: string, end: number): void => {
    counted += charactersIn(text, countedTo, end);
    countedTo = end;
  };

  return {
    /** Both offsets of a place in the text that is read now. */
    at(text: string, place: number): readonly [number, number] {
      countTo(text, place);
      return [units + place, characters + counted];
    },
    /** The first `count` units of the text that is read now are done with. */
    pass(text: string, count: number): void {
      countTo(text, count);
      units += count;
      characters += counted;
      countedTo = 0;
      counted = 0;
    },
  };
}

function charactersIn(text: string, from: number, end: number): number {
  let count = end - from;
  for (let i = from; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0xdc00 && code <= 0xdfff) count--;
  }
  return count;
}
