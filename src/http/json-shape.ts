/** What of JSON costs more than its bytes do. */
export type JsonLimits = {
  /** Objects and arrays inside each other. */
  readonly depth: number;
  /** Names in all objects together: each takes many times its bytes once it is parsed. */
  readonly names: number;
  /** Values in all objects and arrays together. */
  readonly values: number;
};

/**
 * Far above what any request of the API has: its largest are arrays of some hundred thousand
 * tokens.
 */
export const jsonLimits: JsonLimits = { depth: 256, names: 100_000, values: 2_000_000 };

const quote = 0x22;
const backslash = 0x5c;

/**
 * Says which limit a JSON text exceeds, or null. One pass over the bytes, before anything is
 * parsed; text that is not JSON is counted as if it were.
 */
export function exceededLimit(bytes: Uint8Array, limits: JsonLimits = jsonLimits): keyof JsonLimits | null {
  let depth = 0;
  let names = 0;
  let values = 0;
  for (let i = 0; i < bytes.length; i++) {
    switch (bytes[i]) {
      case quote:
        i = endOfString(bytes, i) - 1;
        break;
      case 0x7b:
      case 0x5b:
        if (++depth > limits.depth) return 'depth';
        if (++values > limits.values) return 'values';
        break;
      case 0x7d:
      case 0x5d:
        depth--;
        break;
      case 0x3a:
        if (++names > limits.names) return 'names';
        break;
      case 0x2c:
        if (++values > limits.values) return 'values';
        break;
    }
  }
  return null;
}

/** The index after the string that begins at `start`; the end of the bytes if it does not end. */
export function endOfString(bytes: Uint8Array, start: number): number {
  // Most of a large body is in strings: indexOf() searches many bytes at once.
  for (let end = bytes.indexOf(quote, start + 1); end > 0; end = bytes.indexOf(quote, end + 1)) {
    let escapes = 0;
    while (bytes[end - 1 - escapes] === backslash) escapes++;
    if (escapes % 2 === 0) return end + 1;
  }
  return bytes.length;
}

/**
 * The bytes of a string value of the outermost object: the last one of that name, as `JSON.parse`
 * reads it. `name` is ASCII. Names with escapes are compared decoded; the bytes of others are
 * compared as they are. The text must be valid JSON.
 */
export function topLevelString(bytes: Uint8Array, name: string): { start: number; end: number } | null {
  const plain = encoder.encode(name);
  let value: { start: number; end: number } | null = null;
  let depth = 0;
  /** Whether the name of the current member is `name`; null before the name. */
  let matches: boolean | null = null;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte === quote) {
      const end = endOfString(bytes, i);
      if (depth === 1) {
        if (matches === null) matches = isName(bytes, i, end, plain, name);
        else if (matches) value = { start: i, end };
      }
      i = end - 1;
    } else if (byte === 0x7b || byte === 0x5b) {
      depth++;
      // A value that is no string replaces an earlier one.
      if (depth === 2 && matches) value = null;
    } else if (byte === 0x7d || byte === 0x5d) depth--;
    else if (byte === 0x2c && depth === 1) matches = null;
  }
  return value;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
/** The longest form of an escaped character: `\u0061`. */
const maxEscape = 6;

function isName(bytes: Uint8Array, start: number, end: number, plain: Uint8Array, name: string): boolean {
  const length = end - start - 2;
  if (length < plain.length || length > plain.length * maxEscape) return false;
  const inside = bytes.subarray(start + 1, end - 1);
  if (!inside.includes(backslash)) {
    return length === plain.length && plain.every((byte, i) => byte === inside[i]);
  }
  return JSON.parse(decoder.decode(bytes.subarray(start, end))) === name;
}
