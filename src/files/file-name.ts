/** Longest name that is made here, in characters. */
const maxLength = 80;

/** Characters of a name that are read, from its end: a caller may send any length. */
const readLength = 400;

/** Longest file name that a caller may give, in UTF-16 units. */
export const maxGivenName = 1024;

/** Names that Windows keeps for devices, with any ending. */
const device = /^(con|prn|aux|nul|com\d|lpt\d|conin\$|conout\$)(\.|$)/i;

/**
 * A name that may stand in a link, a header and a folder on any system: the last part of a path,
 * without control and direction characters, and without characters that mean something to a shell,
 * a path or an address. `fallback` if nothing is left.
 */
export function safeFileName(name: string, fallback = 'file'): string {
  const last = name.slice(-readLength).normalize('NFC').split(/[/\\]/).at(-1) ?? '';
  const clean = last
    .replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu, '')
    .replace(/[<>:"|?*%#&;'`$!{}[\]\s]+/g, '_');
  const short = shortened(trimmed(clean));
  if (short === '') return fallback;
  return device.test(short) ? `_${short}` : short;
}

/** A text without `.`, `_` and `-` at its ends. A regular expression would take quadratic time. */
function trimmed(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && '._-'.includes(text.charAt(start))) start++;
  while (end > start && '._-'.includes(text.charAt(end - 1))) end--;
  return text.slice(start, end);
}

/** A name of at most 80 characters that keeps its ending. */
function shortened(name: string): string {
  const characters = [...name];
  if (characters.length <= maxLength) return name;
  const ending = /\.[^.]{1,12}$/.exec(name)?.[0] ?? '';
  return characters.slice(0, maxLength - ending.length).join('') + ending;
}

/** The header that names a download (RFC 6266, RFC 8187): in ASCII, and in UTF-8 if it differs. */
export function contentDisposition(kind: 'inline' | 'attachment', name: string): string {
  const ascii = name.replace(/[^\x20-\x7e]|["\\]/g, '_');
  const encoded = encodeURIComponent(name).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16)}`);
  return `${kind}; filename="${ascii}"${ascii === name ? '' : `; filename*=UTF-8''${encoded}`}`;
}
