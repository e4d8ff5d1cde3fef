import type { Platform } from './platform.ts';

/** The hash of a text, or of bytes that are there already, in hexadecimal. What is remembered of a key is this. */
export async function hashOf(
  { createHash }: Pick<Platform, 'createHash'>,
  what: string | Uint8Array,
): Promise<string> {
  const hash = createHash();
  await hash.update(typeof what === 'string' ? new TextEncoder().encode(what) : what);
  return hash.hex();
}
