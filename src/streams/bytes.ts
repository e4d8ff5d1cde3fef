/** What newer runtimes do natively: Workers, and Node from 25 on. */
type NativeBase64 = {
  readonly fromBase64?: (text: string) => Uint8Array<ArrayBuffer>;
};
type NativeBytes = Uint8Array & { toBase64?(): string; toHex?(): string };

/** Bytes that one call of `String.fromCharCode` takes. */
const stepBytes = 0x8000;

/** Decodes base64, also base64url. Throws if the text is neither. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const isUrl = text.includes('-') || text.includes('_');
  const standard = isUrl ? text.replaceAll('-', '+').replaceAll('_', '/') : text;
  const native = (Uint8Array as NativeBase64).fromBase64;
  if (native) return native.call(Uint8Array, standard);
  const binary = atob(standard);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** Bytes in base64. */
export function toBase64(bytes: Uint8Array): string {
  const { toBase64: native } = bytes as NativeBytes;
  if (native) return native.call(bytes);
  let binary = '';
  for (let at = 0; at < bytes.length; at += stepBytes)
    binary += String.fromCharCode(...bytes.subarray(at, at + stepBytes));
  return btoa(binary);
}

/** Bytes in hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  const { toHex: native } = bytes as NativeBytes;
  if (native) return native.call(bytes);
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}
