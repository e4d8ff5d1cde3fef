import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fromBase64, toBase64, toHex } from './bytes.ts';

const all = Uint8Array.from({ length: 70_000 }, (_, i) => (i * 7) % 256);
type Natives = { fromBase64?: unknown };
type Methods = { toBase64?: unknown; toHex?: unknown };
const statics = Uint8Array as unknown as Natives;
const prototype = Uint8Array.prototype as unknown as Methods;

describe.each([true, false])('bytes as text, natively: %s', (isNative) => {
  const kept = { from: statics.fromBase64, base64: prototype.toBase64, hex: prototype.toHex };
  beforeEach(() => {
    if (isNative) return;
    statics.fromBase64 = undefined;
    prototype.toBase64 = undefined;
    prototype.toHex = undefined;
  });
  afterEach(() => {
    statics.fromBase64 = kept.from;
    prototype.toBase64 = kept.base64;
    prototype.toHex = kept.hex;
  });

  test('go to base64 and back', () => {
    expect(fromBase64(toBase64(all))).toEqual(all);
    expect(toBase64(new TextEncoder().encode('sluice'))).toBe('c2x1aWNl');
  });

  test('are read from base64url, without padding, with line breaks', () => {
    expect([...fromBase64('-_8')]).toEqual([251, 255]);
    expect([...fromBase64('+/8=')]).toEqual([251, 255]);
    expect([...fromBase64('+/\n8=')]).toEqual([251, 255]);
  });

  test('are refused if they are not base64', () => {
    for (const wrong of ['a', '*', 'a===']) expect(() => fromBase64(wrong)).toThrow();
  });

  test('go to hexadecimal', () => {
    expect(toHex(Uint8Array.of(0, 15, 255))).toBe('000fff');
  });
});
