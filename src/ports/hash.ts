/** SHA-256 of bytes that arrive in pieces. */
export interface Hash {
  update(bytes: Uint8Array): void | Promise<void>;
  /** The digest in hexadecimal. No bytes may be added after it. */
  hex(): Promise<string>;
}

/** The SHA-256 of a text or of bytes, in hexadecimal. Keys are stored only as this hash. */
export async function hashOf(
  { createHash }: { createHash(): Hash },
  content: string | Uint8Array,
): Promise<string> {
  const hash = createHash();
  await hash.update(typeof content === 'string' ? new TextEncoder().encode(content) : content);
  return hash.hex();
}
