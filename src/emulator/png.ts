/**
 * A PNG of 16 tiles whose colours depend on the text: small, valid, and the same for the same text.
 */
export function picture(text: string, size = 64): Uint8Array<ArrayBuffer> {
  let hash = 2_166_136_261;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 16_777_619);
  const rows = new Uint8Array(size * (1 + size * 3));
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const at = y * (1 + size * 3) + 1 + x * 3;
      const tile = (x >> 4) + (y >> 4) * 4;
      rows[at] = (hash >>> (tile % 16)) & 0xff;
      rows[at + 1] = (hash >>> ((tile + 5) % 16)) & 0xff;
      rows[at + 2] = 0x80 + ((hash >>> ((tile + 9) % 16)) & 0x7f);
    }
  }
  const header = new Uint8Array(13);
  new DataView(header.buffer).setUint32(0, size);
  new DataView(header.buffer).setUint32(4, size);
  header.set([8, 2, 0, 0, 0], 8);
  return concat([
    new Uint8Array([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]),
    chunk('IHDR', header),
    chunk('IDAT', stored(rows)),
    chunk('IEND', new Uint8Array()),
  ]);
}

/** Bytes in a zlib wrapper without compression (RFC 1950, RFC 1951 §3.2.4). */
function stored(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [new Uint8Array([0x78, 0x01])];
  for (let at = 0; at < bytes.length; at += 0xffff) {
    const piece = bytes.subarray(at, at + 0xffff);
    const last = at + 0xffff >= bytes.length ? 1 : 0;
    parts.push(
      new Uint8Array([
        last,
        piece.length & 0xff,
        piece.length >> 8,
        ~piece.length & 0xff,
        (~piece.length >> 8) & 0xff,
      ]),
      piece,
    );
  }
  let [a, b] = [1, 0];
  for (const byte of bytes) {
    a = (a + byte) % 65_521;
    b = (b + a) % 65_521;
  }
  parts.push(bigEndian(((b << 16) | a) >>> 0));
  return concat(parts);
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const body = concat([new TextEncoder().encode(type), data]);
  let crc = 0xffffffff;
  for (const byte of body) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return concat([bigEndian(data.length), body, bigEndian(~crc >>> 0)]);
}

function bigEndian(value: number): Uint8Array {
  return new Uint8Array([value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff]);
}

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
