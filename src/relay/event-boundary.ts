const LF = 10;
const CR = 13;

/**
 * Follows the bytes of an event stream and knows whether the last one ended an event. Only there
 * may something be added. Nothing is decoded: the last three bytes are enough.
 */
export function createEventBoundary() {
  let previous = LF;
  let last = LF;
  let between = true;
  return {
    /** Takes the bytes that are sent. */
    pass(chunk: Uint8Array): void {
      const length = chunk.length;
      if (length === 0) return;
      if (length === 1) {
        between = ends(previous, last, chunk[0] as number);
        previous = last;
        last = chunk[0] as number;
        return;
      }
      const before = length > 2 ? (chunk[length - 3] as number) : last;
      previous = chunk[length - 2] as number;
      last = chunk[length - 1] as number;
      between = ends(before, previous, last);
    },
    /** True at the start of the stream and after each blank line. */
    isBetweenEvents: () => between,
  };
}

/**
 * Whether three bytes end in a blank line, with any of the three line ends (LF, CR, CRLF) that the
 * format allows.
 */
function ends(third: number, second: number, last: number): boolean {
  if (last === CR) return second === CR;
  if (last !== LF) return false;
  return second === LF || (second === CR && (third === LF || third === CR));
}
