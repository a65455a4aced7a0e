import { SttError } from "../errors.ts";

/** ASCII codes of the digits. */
const DIGITS: Uint8Array = Uint8Array.from("0123456789abcdef", (digit) => digit.charCodeAt(0));
/** Bytes whose digits are passed in one call: engines limit the number of arguments. */
const BYTES_PER_CALL = 1024;

/**
 * Lower-case hexadecimal of `bytes`.
 *
 * @example
 * ```ts
 * import { toHex } from "@seigr/stt/codec";
 * import assert from "node:assert/strict";
 * assert.equal(toHex(new Uint8Array([0, 0xab])), "00ab");
 * ```
 */
export function toHex(bytes: Uint8Array): string {
  // Engines keep text that grows by `+=` as a tree of its parts, which for 32 bytes is over 1 KiB.
  if (bytes.length <= BYTES_PER_CALL) return digitsOf(bytes);
  let text = "";
  for (let at = 0; at < bytes.length; at += BYTES_PER_CALL) {
    text += digitsOf(bytes.subarray(at, at + BYTES_PER_CALL));
  }
  return text;
}

function digitsOf(bytes: Uint8Array): string {
  const codes = new Array<number>(2 * bytes.length);
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index]!;
    codes[2 * index] = DIGITS[byte >> 4]!;
    codes[2 * index + 1] = DIGITS[byte & 15]!;
  }
  return String.fromCharCode.apply(undefined, codes);
}

/**
 * Bytes of hexadecimal text, digits of either case, no separators.
 *
 * @throws {SttError} `HEX` for an odd length or any other character. The message names the offset, never the text,
 * which may be a secret.
 *
 * @example
 * ```ts
 * import { fromHex } from "@seigr/stt/codec";
 * import assert from "node:assert/strict";
 * assert.deepEqual([...fromHex("00Ab")], [0, 0xab]);
 * ```
 */
export function fromHex(text: string): Uint8Array {
  if (text.length % 2 !== 0) {
    throw new SttError("HEX", `cannot decode hexadecimal: length ${text.length} is odd`);
  }
  const bytes = new Uint8Array(text.length / 2);
  for (let index = 0; index < bytes.length; index++) {
    bytes[index] = (digit(text, index * 2) << 4) | digit(text, index * 2 + 1);
  }
  return bytes;
}

function digit(text: string, offset: number): number {
  const unit = text.charCodeAt(offset);
  if (unit >= 0x30 && unit <= 0x39) return unit - 0x30;
  const letter = unit | 0x20;
  if (letter >= 0x61 && letter <= 0x66) return letter - 0x57;
  throw new SttError("HEX", `cannot decode hexadecimal: no digit (offset ${offset})`, { offset });
}
