/**
 * Inputs that are lists of byte strings: two bytes of length, big endian, and so many bytes, until the end. Every array of
 * bytes is such a list, so that any change of an input is an input.
 *
 * @module
 */
import type { Prng } from "../../src/testing/prng.ts";

/** The list in `bytes`; the last part may be cut short. */
export function splitParts(bytes: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0; at + 2 <= bytes.length;) {
    const length = bytes[at]! << 8 | bytes[at + 1]!;
    at += 2;
    parts.push(bytes.slice(at, at + length));
    at += length;
  }
  return parts;
}

/** The bytes of a list; parts are cut at 65535 bytes. */
export function joinParts(parts: readonly Uint8Array[]): Uint8Array {
  const cut = parts.map((part) => part.subarray(0, 65_535));
  const bytes = new Uint8Array(cut.reduce((sum, part) => sum + 2 + part.length, 0));
  let at = 0;
  for (const part of cut) {
    bytes[at] = part.length >> 8;
    bytes[at + 1] = part.length & 255;
    bytes.set(part, at + 2);
    at += 2 + part.length;
  }
  return bytes;
}

/** Changes the order and number of parts, or one part by `inside`. */
export function mutateParts(
  input: Uint8Array,
  other: Uint8Array,
  prng: Prng,
  inside: (part: Uint8Array, prng: Prng) => Uint8Array,
): Uint8Array {
  const parts = splitParts(input);
  const at = parts.length === 0 ? 0 : prng.integer(0, parts.length - 1);
  const part = parts[at] ?? new Uint8Array(0);
  const foreign = splitParts(other);
  const borrowed = foreign[prng.integer(0, Math.max(0, foreign.length - 1))] ?? part;
  switch (prng.pick(["inside", "inside", "inside", "drop", "twice", "swap", "borrow", "cross"])) {
    case "inside":
      parts.splice(at, 1, inside(part, prng));
      break;
    case "drop":
      parts.splice(at, prng.integer(1, 3));
      break;
    case "twice":
      parts.splice(prng.integer(0, parts.length), 0, part);
      break;
    case "swap":
      parts.splice(at, 1);
      parts.splice(prng.integer(0, parts.length), 0, part);
      break;
    case "borrow":
      parts.splice(prng.integer(0, parts.length), 0, borrowed);
      break;
    case "cross":
      parts.splice(at, parts.length, ...foreign.slice(prng.integer(0, foreign.length)));
      break;
  }
  return joinParts(parts);
}
