import { extensionTypes } from './extensions.ts';

/** How many bytes from the beginning tell the type of a file. */
export const headBytes = 4100;

/** Types of containers. The name of a file tells what is in it. */
const containers = new Set(['application/zip', 'application/xml', 'application/x-cfb', 'application/gzip']);

/** Types of text: their first bytes show no type, so a header or a name is believed. */
const textual =
  /^(text\/.+|image\/svg\+xml|application\/(json|.+\+json|xml|.+\+xml|javascript|x-sh|x-latext|x-ndjson|yaml|toml|sql))$/;
/** Types that are in a container. They are accepted if the bytes show a container. */
const packed =
  /^application\/(vnd\.|msword|epub|java-archive|x-|.+\+xml|.+\+zip)|^image\/svg\+xml$|^text\/(html|xml)$/;

/**
 * The type of a file: by its first bytes, else by its header, else by its name. A binary type that
 * the bytes do not show is not accepted, so that no page passes for a picture.
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

/** The usual ending of a file of this type, without a dot; null if there is none. */
export async function endingOf(type: string): Promise<string | null> {
  const known = Object.entries(extensionTypes).find(([, each]) => each === type)?.[0];
  if (known) return known;
  const { default: mime } = await import('mime/lite');
  return mime.getExtension(type);
}

/** Whether every browser shows this type as a picture, and it cannot hold a program. */
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

/** A media type without its parameters; null if it says nothing. */
function bare(type: string | null): string | null {
  const match = /^\s*([a-z0-9]+\/[a-z0-9.+_-]+)\s*(?:;|$)/i.exec(type ?? '')?.[1]?.toLowerCase();
  return match === undefined || /^(application\/octet-stream|binary\/.*)$/.test(match) ? null : match;
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
