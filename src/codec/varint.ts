/**
 * Unsigned LEB128 varints of at most 64 bits, always minimal (SPEC 1).
 *
 * @module
 */

import { SttError } from "../errors.ts";
import { decodeError } from "./decode_error.ts";

const MAX_U64 = 0xffff_ffff_ffff_ffffn;
const TWO_49 = 562_949_953_421_312;
const TWO_28 = 268_435_456;
/** Of any safe integer. */
const MAX_NUMBER_BYTES = 8;

/**
 * Bytes that the varint of `value` takes: 1 to 10.
 *
 * @param value An integer from 0 to 2^64-1; a `number` must be a safe integer.
 * @throws {SttError} `VARINT_RANGE` for anything else.
 *
 * @example
 * ```ts
 * import { varintSize } from "@seigr/stt/codec";
 * import assert from "node:assert/strict";
 * assert.equal(varintSize(127), 1);
 * assert.equal(varintSize(128), 2);
 * assert.equal(varintSize(2n ** 64n - 1n), 10);
 * ```
 */
export function varintSize(value: number | bigint): number {
  if (typeof value === "number") {
    if (value >= 0 && value < 0x80 && Number.isInteger(value)) return 1;
    checkNumber(value);
    if (value < 0x4000) return 2;
    if (value < 0x20_0000) return 3;
    if (value < 0x1000_0000) return 4;
    if (value < 0x8_0000_0000) return 5;
    if (value < 0x400_0000_0000) return 6;
    if (value < TWO_49) return 7;
    return 8;
  }
  checkBigint(value);
  let size = 1;
  for (let rest = value >> 7n; rest > 0n; rest >>= 7n) size++;
  return size;
}

/**
 * Encodes an integer from 0 to 2^64-1 in its one, minimal form.
 *
 * @throws {SttError} `VARINT_RANGE` when `value` is negative, not an integer, above 2^64-1, or an unsafe `number`.
 *
 * @example
 * ```ts
 * import { encodeVarint, toHex } from "@seigr/stt/codec";
 * import assert from "node:assert/strict";
 * assert.equal(toHex(encodeVarint(300)), "ac02");
 * ```
 */
export function encodeVarint(value: number | bigint): Uint8Array {
  const bytes = new Uint8Array(varintSize(value));
  writeVarint(bytes, 0, value);
  return bytes;
}

/**
 * Writes a varint at `offset` of `target` and returns the offset behind it.
 *
 * @throws {SttError} `VARINT_RANGE` as {@link encodeVarint}; `INTERNAL` when `target` is too small, which is a bug of
 * the caller.
 *
 * @example
 * ```ts
 * import { writeVarint } from "@seigr/stt/codec";
 * import assert from "node:assert/strict";
 * const target = new Uint8Array(4);
 * assert.equal(writeVarint(target, 1, 300), 3);
 * assert.deepEqual([...target], [0, 0xac, 0x02, 0]);
 * ```
 */
export function writeVarint(target: Uint8Array, offset: number, value: number | bigint): number {
  if (typeof value === "number") {
    if (value >= 0 && value < 0x80 && offset < target.length && Number.isInteger(value)) {
      target[offset] = value;
      return offset + 1;
    }
    const room = offset >= 0 && offset + MAX_NUMBER_BYTES <= target.length;
    if (room && value >= 0 && value < TWO_28 && Number.isInteger(value)) {
      return writeSmall(target, offset, value);
    }
    return writeNumber(target, offset, value);
  }
  checkBigint(value);
  if (value < TWO_49) return writeNumber(target, offset, Number(value));
  checkRoom(target, offset, varintSize(value));
  let rest = value;
  while (rest >= 0x80n) {
    target[offset++] = Number(rest & 0x7fn) | 0x80;
    rest >>= 7n;
  }
  target[offset++] = Number(rest);
  return offset;
}

function writeNumber(target: Uint8Array, offset: number, value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) checkNumber(value);
  if (offset < 0 || offset + MAX_NUMBER_BYTES > target.length) {
    checkRoom(target, offset, varintSize(value));
  }
  if (value < TWO_28) return writeSmall(target, offset, value);
  // Integer operators work on 32 bits: four bytes hold the low 28, what is above them is at most 25 wide.
  const high = Math.floor(value / TWO_28);
  const low = value - high * TWO_28;
  target[offset] = low | 0x80;
  target[offset + 1] = (low >>> 7) | 0x80;
  target[offset + 2] = (low >>> 14) | 0x80;
  target[offset + 3] = (low >>> 21) | 0x80;
  return writeSmall(target, offset + 4, high);
}

/** `value` is below 2^28, and there is room. An array of bytes keeps the low 8 bits of what is written. */
function writeSmall(target: Uint8Array, offset: number, value: number): number {
  if (value < 0x80) {
    target[offset] = value;
    return offset + 1;
  }
  target[offset] = value | 0x80;
  if (value < 0x4000) {
    target[offset + 1] = value >>> 7;
    return offset + 2;
  }
  target[offset + 1] = (value >>> 7) | 0x80;
  if (value < 0x20_0000) {
    target[offset + 2] = value >>> 14;
    return offset + 3;
  }
  target[offset + 2] = (value >>> 14) | 0x80;
  target[offset + 3] = value >>> 21;
  return offset + 4;
}

/**
 * Decodes the varint at `offset`; bytes behind it are ignored.
 *
 * @returns The value, a `number` when it is a safe integer and a `bigint` above, and the bytes that it takes.
 * @throws {SttError} `VARINT_INCOMPLETE` when the input ends before the last byte (or there is none),
 * `VARINT_NON_MINIMAL` when a shorter form exists, `VARINT_OVERFLOW` for more than 10 bytes or a value above 2^64-1.
 *
 * @example
 * ```ts
 * import { decodeVarint } from "@seigr/stt/codec";
 * import assert from "node:assert/strict";
 * assert.deepEqual(decodeVarint(new Uint8Array([0xac, 0x02])), { value: 300, size: 2 });
 * ```
 */
export function decodeVarint(
  bytes: Uint8Array,
  offset = 0,
): { value: number | bigint; size: number } {
  const first = bytes[offset];
  if (first !== undefined && first < 0x80) return { value: first, size: 1 };
  const value = readVarint(bytes, offset, bytes.length);
  return { value, size: varintSize(value) };
}

/**
 * Reads the varint at `offset`, looking no further than `end`. A valid varint is minimal, so the bytes that it took
 * are `varintSize(value)`.
 *
 * @throws {SttError} as {@link decodeVarint}, and `VARINT_RANGE` for a value above 2^53-1.
 */
export function readVarintNumber(bytes: Uint8Array, offset: number, end: number): number {
  if (offset < end) {
    const first = bytes[offset]!;
    if (first < 0x80) return first;
    const long = readLong(bytes, offset, end, first);
    if (long >= 0) return long;
  }
  const value = readVarint(bytes, offset, end);
  if (typeof value === "bigint") {
    throw decodeError(
      "VARINT_RANGE",
      "varint",
      `value ${value} exceeds ${Number.MAX_SAFE_INTEGER}`,
      offset,
      Number.MAX_SAFE_INTEGER,
    );
  }
  return value;
}

/**
 * A valid varint of 2 to 8 bytes below 2^53, whose first byte is `first`; -1 for anything else, which {@link readVarint}
 * looks at. Where it ends is checked once: bytes behind `end` do no harm before that, nor does undefined behind the array.
 */
function readLong(bytes: Uint8Array, offset: number, end: number, first: number): number {
  let byte = bytes[offset + 1]!;
  let low = (first & 0x7f) | (byte & 0x7f) << 7;
  if (byte < 0x80) return byte === 0 || offset + 2 > end ? -1 : low;
  byte = bytes[offset + 2]!;
  low |= (byte & 0x7f) << 14;
  if (byte < 0x80) return byte === 0 || offset + 3 > end ? -1 : low;
  byte = bytes[offset + 3]!;
  low |= (byte & 0x7f) << 21;
  if (byte < 0x80) return byte === 0 || offset + 4 > end ? -1 : low;
  byte = bytes[offset + 4]!;
  let high = byte & 0x7f;
  if (byte < 0x80) return byte === 0 || offset + 5 > end ? -1 : high * TWO_28 + low;
  byte = bytes[offset + 5]!;
  high |= (byte & 0x7f) << 7;
  if (byte < 0x80) return byte === 0 || offset + 6 > end ? -1 : high * TWO_28 + low;
  byte = bytes[offset + 6]!;
  high |= (byte & 0x7f) << 14;
  if (byte < 0x80) return byte === 0 || offset + 7 > end ? -1 : high * TWO_28 + low;
  byte = bytes[offset + 7]!;
  // The eighth byte of a safe integer holds four bits.
  if (byte === 0 || byte >= 0x10 || offset + 8 > end) return -1;
  return (high | byte << 21) * TWO_28 + low;
}

function readVarint(bytes: Uint8Array, offset: number, end: number): number | bigint {
  // Seven bytes hold 49 bits, which a double adds exactly; the three bytes above them hold the other 15.
  let low = 0;
  let high = 0;
  let scale = 1;
  for (let index = 0; index < 10; index++) {
    const byte = offset + index < end ? bytes[offset + index] : undefined;
    if (byte === undefined) {
      const why = index === 0 ? "no data" : `input ends after ${index} bytes`;
      throw decodeError("VARINT_INCOMPLETE", "varint", why, offset);
    }
    const bits = byte & 0x7f;
    if (index < 7) {
      low += bits * scale;
      scale *= 128;
    } else {
      high |= bits << (7 * (index - 7));
    }
    if (byte >= 0x80) continue;
    // SPEC 1: one spelling only, or one frame could be sent as two different byte strings.
    if (byte === 0 && index > 0) {
      throw decodeError("VARINT_NON_MINIMAL", "varint", `${index + 1} bytes are too many`, offset);
    }
    if (high > 0x7fff) break;
    if (high < 16) return high * TWO_49 + low;
    return (BigInt(high) << 49n) | BigInt(low);
  }
  throw decodeError("VARINT_OVERFLOW", "varint", "value exceeds 2^64-1", offset);
}

function checkNumber(value: number): void {
  if (Number.isSafeInteger(value) && value >= 0) return;
  throw new SttError(
    "VARINT_RANGE",
    `cannot encode varint: ${value} is not an integer from 0 to ${Number.MAX_SAFE_INTEGER} (use a bigint up to 2^64-1)`,
    { limit: Number.MAX_SAFE_INTEGER },
  );
}

function checkBigint(value: bigint): void {
  if (value >= 0n && value <= MAX_U64) return;
  throw new SttError(
    "VARINT_RANGE",
    `cannot encode varint: ${value} is not between 0 and 2^64-1`,
  );
}

function checkRoom(target: Uint8Array, offset: number, size: number): void {
  if (offset >= 0 && offset + size <= target.length) return;
  throw new SttError(
    "INTERNAL",
    `cannot write varint: ${size} bytes at offset ${offset} pass the target of ${target.length}`,
    { offset, limit: target.length },
  );
}
