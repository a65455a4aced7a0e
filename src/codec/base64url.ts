import { SttError } from "../errors.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const SEXTETS: Map<string, number> = new Map([...ALPHABET].map((letter, value) => [letter, value]));

/**
 * base64url of `bytes` without padding (RFC 4648, section 5).
 *
 * @example
 * ```ts
 * import { toBase64Url } from "@seigr/stt/codec";
 * import assert from "node:assert/strict";
 * assert.equal(toBase64Url(new Uint8Array([0xfb, 0xff])), "-_8");
 * ```
 */
export function toBase64Url(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      text += ALPHABET.charAt((held >> bits) & 63);
    }
    held &= (1 << bits) - 1;
  }
  return bits > 0 ? text + ALPHABET.charAt((held << (6 - bits)) & 63) : text;
}

/**
 * Bytes of base64url text. Every byte string has one spelling: padding, whitespace, the letters `+` and `/`, and
 * unused bits that are not zero are refused.
 *
 * @throws {SttError} `BASE64`. The message names the offset, never the text, which may be a secret.
 *
 * @example
 * ```ts
 * import { fromBase64Url } from "@seigr/stt/codec";
 * import assert from "node:assert/strict";
 * assert.deepEqual([...fromBase64Url("-_8")], [0xfb, 0xff]);
 * ```
 */
export function fromBase64Url(text: string): Uint8Array {
  if (text.length % 4 === 1) {
    throw new SttError(
      "BASE64",
      `cannot decode base64url: no bytes give ${text.length} characters`,
    );
  }
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let length = 0;
  let bits = 0;
  let held = 0;
  for (let offset = 0; offset < text.length; offset++) {
    const sextet = SEXTETS.get(text.charAt(offset));
    if (sextet === undefined) {
      throw new SttError("BASE64", `cannot decode base64url: not a digit (offset ${offset})`, {
        offset,
      });
    }
    held = (held << 6) | sextet;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[length++] = held >> bits;
      held &= (1 << bits) - 1;
    }
  }
  if (held !== 0) {
    const offset = text.length - 1;
    throw new SttError(
      "BASE64",
      `cannot decode base64url: unused bits are set (offset ${offset})`,
      {
        offset,
      },
    );
  }
  return bytes;
}
