const maxLength = 80;

/** Names that Windows keeps for devices, whatever their ending. */
const device = /^(con|prn|aux|nul|com\d|lpt\d|conin\$|conout\$)(\.|$)/i;

/**
 * A name that may stand in a link, a header and a folder on any system: the last part of a path, without control and direction
 * characters, without what a shell, a path or an address gives a meaning to. `fallback` where nothing is left.
 */
export function safeFileName(name: string, fallback = 'file'): string {
  const last = name.normalize('NFC').split(/[/\\]/).at(-1) ?? '';
  const clean = last
    .replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu, '')
    .replace(/[<>:"|?*%#&;'`$!{}[\]\s]+/g, '_')
    .replace(/^[._-]+|[._-]+$/g, '');
  const short = shortened(clean);
  if (short === '') return fallback;
  return device.test(short) ? `_${short}` : short;
}

/** A name of at most so many characters that keeps its ending. */
function shortened(name: string): string {
  const characters = [...name];
  if (characters.length <= maxLength) return name;
  const ending = /\.[^.]{1,12}$/.exec(name)?.[0] ?? '';
  return characters.slice(0, maxLength - ending.length).join('') + ending;
}

/** The header that names a download (RFC 6266, RFC 8187): the name as it is, and in ASCII for those that read no more. */
export function contentDisposition(kind: 'inline' | 'attachment', name: string): string {
  const ascii = name.replace(/[^\x20-\x7e]|["\\]/g, '_');
  const encoded = encodeURIComponent(name).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16)}`);
  return `${kind}; filename="${ascii}"${ascii === name ? '' : `; filename*=UTF-8''${encoded}`}`;
}
