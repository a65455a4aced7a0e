/**
 * Seeds written as text. Apart from the codec's own converters because nothing here may repeat its input in an error.
 *
 * @module
 */

import { wipe } from "./secret.ts";

const HEX_DIGITS = /^[0-9a-fA-F]*$/;
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** True when every character is a hexadecimal digit. */
export function looksHex(text: string): boolean {
  return HEX_DIGITS.test(text);
}

/** Bytes of hexadecimal text, or undefined when it is none. */
export function hexBytes(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !looksHex(text)) return undefined;
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  }
  return bytes;
}

/** Bytes of base64url text without padding (RFC 4648, section 5), or undefined when it is none. */
export function base64UrlBytes(text: string): Uint8Array | undefined {
  if (text.length % 4 === 1) return undefined;
  const bytes = new Uint8Array(Math.floor(text.length * 3 / 4));
  let pending = 0;
  let bits = 0;
  let offset = 0;
  for (const character of text) {
    const value = ALPHABET.indexOf(character);
    if (value < 0) {
      wipe(bytes);
      return undefined;
    }
    pending = (pending << 6 | value) & 0x3fff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[offset++] = pending >> bits;
    }
  }
  // RFC 4648, section 3.5: bits left over must be zero, or two texts would be one seed.
  if ((pending & (1 << bits) - 1) !== 0) {
    wipe(bytes);
    return undefined;
  }
  return bytes;
}
