/**
 * Changes of bytes that know no more than how integers are usually written.
 *
 * @module
 */
import { encodeVarint } from "../../src/codec/varint.ts";
import type { Prng } from "../../src/testing/prng.ts";

/** Bytes at which something begins or ends: signs, tags of values, types of records and frames. */
const BYTES = [0, 1, 2, 3, 4, 5, 8, 0x0f, 0x10, 0x13, 0x17, 0x20, 0x21, 0x30, 0x31, 0x40, 0x41]
  .concat(0x53, 0x54, 0x7f, 0x80, 0x81, 0xc0, 0xf4, 0xfe, 0xff) as [number, ...number[]];

const NUMBERS: [number | bigint, ...(number | bigint)[]] = [
  0,
  1,
  30,
  31,
  127,
  128,
  255,
  256,
  16_383,
  16_384,
  65_535,
  65_536,
  2_097_151,
  2_097_152,
  2_097_153,
  2_147_483_647,
  2_147_483_648,
  4_294_967_295,
  4_294_967_296,
  9_007_199_254_740_991,
  9_007_199_254_740_992n,
  (1n << 63n) - 1n,
  1n << 63n,
  (1n << 64n) - 1n,
];

type Edit = (bytes: Uint8Array, at: number, prng: Prng) => Uint8Array;

/** `bytes` with `removed` bytes at `at` replaced by `inserted`. */
export function spliced(
  bytes: Uint8Array,
  at: number,
  removed: number,
  inserted: Uint8Array,
): Uint8Array {
  const tail = Math.min(bytes.length, at + removed);
  const result = new Uint8Array(at + inserted.length + bytes.length - tail);
  result.set(bytes.subarray(0, at));
  result.set(inserted, at);
  result.set(bytes.subarray(tail), at + inserted.length);
  return result;
}

function bigEndian(value: number | bigint, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let at = size - 1, rest = BigInt(value); at >= 0; at--, rest >>= 8n) {
    bytes[at] = Number(rest & 255n);
  }
  return bytes;
}

const EDITS: [Edit, ...Edit[]] = [
  (bytes, at, prng) => {
    const copy = bytes.slice();
    if (at < copy.length) copy[at] = copy[at]! ^ 1 << prng.integer(0, 7);
    return copy;
  },
  (bytes, at, prng) => spliced(bytes, at, 1, Uint8Array.of(prng.pick(BYTES))),
  (bytes, at, prng) => spliced(bytes, at, 1, Uint8Array.of(prng.integer(0, 255))),
  (bytes, at, prng) => {
    const copy = bytes.slice();
    if (at < copy.length) copy[at] = copy[at]! + prng.integer(-3, 3);
    return copy;
  },
  (bytes, at, prng) => spliced(bytes, at, 0, Uint8Array.of(prng.pick(BYTES))),
  (bytes, at, prng) => spliced(bytes, at, 0, prng.bytes(prng.integer(1, 16))),
  (bytes, at, prng) => spliced(bytes, at, prng.integer(1, 16), new Uint8Array(0)),
  (bytes, at) => bytes.slice(0, at),
  (bytes, at, prng) => spliced(bytes, at, prng.integer(0, 3), encodeVarint(prng.pick(NUMBERS))),
  (bytes, at, prng) => {
    const size = prng.pick([2, 4, 4, 8]);
    return spliced(bytes, at, prng.chance(0.8) ? size : 0, bigEndian(prng.pick(NUMBERS), size));
  },
  // A varint with a byte that says nothing.
  (bytes, at) =>
    at < bytes.length ? spliced(bytes, at, 1, Uint8Array.of(bytes[at]! | 0x80, 0)) : bytes,
  (bytes, at, prng) => {
    const from = prng.integer(0, bytes.length);
    return spliced(bytes, at, 0, bytes.slice(from, from + prng.integer(1, 64)));
  },
  (bytes, at, prng) => {
    const from = prng.integer(0, bytes.length);
    const piece = bytes.slice(from, from + prng.integer(1, 32));
    return spliced(bytes, at, piece.length, piece);
  },
];

/** One change anywhere. */
export function mutateBytes(bytes: Uint8Array, prng: Prng): Uint8Array {
  // Beginnings decide most.
  const end = prng.chance(0.3) ? Math.min(bytes.length, 40) : bytes.length;
  return prng.pick(EDITS)(bytes, prng.integer(0, end), prng);
}

/** The same, or a piece of another input. */
export function mutateWith(bytes: Uint8Array, other: Uint8Array, prng: Prng): Uint8Array {
  if (!prng.chance(0.15)) return mutateBytes(bytes, prng);
  const from = prng.integer(0, other.length);
  const piece = other.slice(from, from + prng.integer(1, 256));
  const removed = prng.chance(0.5) ? piece.length : 0;
  return spliced(bytes, prng.integer(0, bytes.length), removed, piece);
}
