/**
 * Byte and hex primitives of the twin. The twin imports nothing of `src/`: it is written apart from it, in the slowest
 * and plainest way, so that one mistake does not hide in both.
 *
 * @module
 */
import { Buffer } from "node:buffer";

/** Why something is refused; `code` is one of the error codes of SPEC.md's table or a verdict of the data. */
export class Refusal extends Error {
  readonly code: string;

  constructor(code: string, text: string = code) {
    super(text);
    this.code = code;
  }
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

export function unhex(text: string): Uint8Array {
  if (typeof text !== "string" || text.length % 2 !== 0 || /[^0-9a-f]/i.test(text)) {
    throw new Error(`not hexadecimal: ${String(text).slice(0, 40)}`);
  }
  return Uint8Array.from(Buffer.from(text, "hex"));
}

export function concat(...parts: Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

export function same(a: Uint8Array, b: Uint8Array): boolean {
  return hex(a) === hex(b);
}

export function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** `width` bytes, big-endian; negative numbers in two's complement. */
export function bigEndian(value: bigint, width: number): Uint8Array {
  const bytes = new Uint8Array(width);
  let rest = BigInt.asUintN(8 * width, value);
  for (let i = width - 1; i >= 0; i--) {
    bytes[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

export function readBigEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return value;
}

/** UTF-8 after RFC 3629, by hand: no surrogates, no overlong forms, nothing above U+10FFFF; undefined if malformed. */
export function readUtf8(bytes: Uint8Array): string | undefined {
  let text = "";
  let i = 0;
  while (i < bytes.length) {
    const first = bytes[i] as number;
    let more: number;
    let point: number;
    let least: number;
    if (first < 0x80) [more, point, least] = [0, first, 0];
    else if (first >= 0xc2 && first <= 0xdf) [more, point, least] = [1, first & 0x1f, 0x80];
    else if (first >= 0xe0 && first <= 0xef) [more, point, least] = [2, first & 0x0f, 0x800];
    else if (first >= 0xf0 && first <= 0xf4) [more, point, least] = [3, first & 0x07, 0x10000];
    else return undefined;
    for (let k = 1; k <= more; k++) {
      const next = bytes[i + k];
      if (next === undefined || next < 0x80 || next > 0xbf) return undefined;
      point = point * 64 + (next & 0x3f);
    }
    if (point < least || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return undefined;
    text += String.fromCodePoint(point);
    i += 1 + more;
  }
  return text;
}

/** UTF-8 of a string, undefined when it holds a lone surrogate. */
export function writeUtf8(text: string): Uint8Array | undefined {
  const bytes: number[] = [];
  for (const character of text) {
    const point = character.codePointAt(0) as number;
    if (point >= 0xd800 && point <= 0xdfff) return undefined;
    if (point < 0x80) bytes.push(point);
    else if (point < 0x800) bytes.push(0xc0 | (point >> 6), 0x80 | (point & 63));
    else if (point < 0x10000) {
      bytes.push(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63));
    } else {
      bytes.push(
        0xf0 | (point >> 18),
        0x80 | ((point >> 12) & 63),
        0x80 | ((point >> 6) & 63),
        0x80 | (point & 63),
      );
    }
  }
  return Uint8Array.from(bytes);
}

/** Pieces of `size` bytes and a last one of at most that; one empty piece of nothing. */
export function cut(plain: Uint8Array, size: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < plain.length || at === 0; at += size) {
    pieces.push(plain.slice(at, at + size));
  }
  return pieces;
}
