/** Shorter keys are not searched for: they would be found in ordinary words. */
const shortestKey = 8;

/** How often a text is decoded: a value may be percent-encoded more than once on its way. */
const maxDecodings = 3;

/**
 * Whether a text holds a key: as it is, percent-encoded (also repeatedly), or in base64, as `Basic`
 * credentials hold it. Takes linear time.
 */
export function holdsKey(text: string, key: string): boolean {
  if (key.length < shortestKey || text.length < shortestKey) return false;
  let decoded = text;
  for (let i = 0; ; i++) {
    if (decoded.includes(key)) return true;
    if (i === maxDecodings || !decoded.includes('%')) break;
    const next = percentDecoded(decoded);
    if (next === decoded) break;
    decoded = next;
  }
  // Nothing shorter holds the base64 of the key, and base64 is made of bytes.
  return text.length * 3 >= key.length * 4 - 6 && isLatin1(key) && holdsBase64(text, key);
}

/** Decodes ASCII escapes alone: a key has no other characters. */
function percentDecoded(text: string): string {
  return text.replace(/%([0-7][0-9a-f])/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

function isLatin1(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0xff) return false;
  return true;
}

/**
 * Whether a text holds the base64 of anything that holds the key. The key can begin at each of
 * three positions of a base64 group; the characters that only the key decides are searched for.
 */
function holdsBase64(text: string, key: string): boolean {
  for (let offset = 0; offset < 3; offset++) {
    const encoded = btoa(' '.repeat(offset) + key);
    const first = Math.ceil((offset * 4) / 3);
    const last = Math.floor(((offset + key.length) * 4) / 3);
    const certain = encoded.slice(first, last);
    if (text.includes(certain)) return true;
    if (text.includes(certain.replaceAll('+', '-').replaceAll('/', '_'))) return true;
  }
  return false;
}

/**
 * A query without the parameters that hold a key. `search` begins with `?` or is empty. All other
 * parameters keep their bytes and their order.
 */
export function searchWithout(search: string, key: string | null): string {
  if (key === null || search.length < 2 || !holdsKey(search, key)) return search;
  const kept = search
    .slice(1)
    .split('&')
    .filter((parameter) => !holdsKey(parameter, key));
  return kept.length > 0 ? `?${kept.join('&')}` : '';
}
