import { extensionTypes } from './extensions.ts';

/** How many bytes from the beginning tell what a file is. */
export const headBytes = 4100;

/** Types that only say how a file is packed; its name says what is in it. */
const containers = new Set(['application/zip', 'application/xml', 'application/x-cfb', 'application/gzip']);

/** Types that are text, and so have no mark in their first bytes: only these may be believed from a header or a name. */
const textual =
  /^(text\/.+|image\/svg\+xml|application\/(json|.+\+json|xml|.+\+xml|javascript|x-sh|x-latext|x-ndjson|yaml|toml|sql))$/;
/** Types that stand in a container, and are believed where the bytes show one. */
const packed =
  /^application\/(vnd\.|msword|epub|java-archive|x-|.+\+xml|.+\+zip)|^image\/svg\+xml$|^text\/(html|xml)$/;

/**
 * What a file is: by its first bytes, else by its header, else by its name. What has a mark in its bytes and does not show it is not
 * believed, so that no page passes for a picture.
 */
export async function typeOf(
  head: Uint8Array,
  declared: string | null,
  name: string | null,
): Promise<string> {
  const { fileTypeFromBuffer } = await import('file-type');
  const byBytes = (await fileTypeFromBuffer(head).catch(() => undefined))?.mime;
  const others = [bare(declared), name === null ? null : await byName(name)].filter((type) => type !== null);
  if (byBytes !== undefined) {
    const inside = containers.has(byBytes) ? others.find((type) => packed.test(type)) : undefined;
    return inside ?? byBytes;
  }
  if (!isText(head)) return 'application/octet-stream';
  // Servers call any text plain: a name may tell more.
  const [first, second] = others.filter((type) => textual.test(type));
  return (first === 'text/plain' ? second : first) ?? first ?? 'text/plain';
}

/** The usual ending of a file of this type, without a dot; null where there is none. */
export async function endingOf(type: string): Promise<string | null> {
  const known = Object.entries(extensionTypes).find(([, each]) => each === type)?.[0];
  if (known) return known;
  const { default: mime } = await import('mime/lite');
  return mime.getExtension(type);
}

/** Pictures that every browser shows, and that cannot hold a program. */
export function isPicture(type: string): boolean {
  return /^image\/(png|jpeg|gif|webp|avif|bmp)$/.test(type);
}

async function byName(name: string): Promise<string | null> {
  const ending = /\.([a-z0-9+]{1,12})$/i.exec(name)?.[1]?.toLowerCase();
  if (ending === undefined) return null;
  if (Object.hasOwn(extensionTypes, ending)) return extensionTypes[ending] ?? null;
  const { default: mime } = await import('mime/lite');
  return mime.getType(ending);
}

/** A media type without its parameters; null where it says nothing. */
function bare(type: string | null): string | null {
  const found = /^\s*([a-z0-9]+\/[a-z0-9.+_-]+)\s*(?:;|$)/i.exec(type ?? '')?.[1]?.toLowerCase();
  return found === undefined || /^(application\/octet-stream|binary\/.*)$/.test(found) ? null : found;
}

function isText(head: Uint8Array): boolean {
  if (head.includes(0)) return false;
  try {
    // The last character may be cut.
    new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true });
    return true;
  } catch {
    return false;
  }
}
