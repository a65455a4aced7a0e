/** SPEC 14.2, boxes, and the values in them: written from the specification, in the plainest way. @module */
import { ascii, concat, hex, Refusal } from "./bytes.ts";
import { expand, open, seal } from "./primitives.ts";
import { decodeValue, encodeValue, type Typed } from "./values.ts";

export const bytes = (value: Uint8Array): Typed => ({ t: "bytes", hex: hex(value) });
export const text = (value: string): Typed => ({ t: "str", v: value });
export const int = (value: number): Typed => ({ t: "int", v: String(value) });
export const dict = (entries: readonly [string, Typed][]): Typed => ({ t: "dict", entries });

const ZERO_NONCE = new Uint8Array(12);

/** 14.2.1 */
export function sealBox(
  key: Uint8Array,
  salt: Uint8Array,
  context: Typed,
  plain: Uint8Array,
): Uint8Array {
  const boxKey = expand(key, concat(ascii("stt1 box"), salt), 32);
  return concat(salt, seal("chacha20-poly1305", boxKey, ZERO_NONCE, encodeValue(context), plain));
}

export function openBox(key: Uint8Array, context: Typed, box: Uint8Array): Uint8Array | undefined {
  if (box.length < 48) return undefined;
  const boxKey = expand(key, concat(ascii("stt1 box"), box.slice(0, 32)), 32);
  return open("chacha20-poly1305", boxKey, ZERO_NONCE, encodeValue(context), box.slice(32));
}

/** A canonical dict with exactly these keys. */
export function fieldsOf(value: Uint8Array, keys: readonly string[]): Map<string, Typed> {
  let typed: Typed;
  try {
    typed = decodeValue(value, { canonical: true });
  } catch {
    throw new Refusal("STORAGE_CORRUPT");
  }
  return dictFields(typed, keys);
}

export function dictFields(typed: Typed, keys: readonly string[]): Map<string, Typed> {
  if (typed.t !== "dict") throw new Refusal("STORAGE_CORRUPT");
  const entries = new Map(typed.entries);
  const found = [...entries.keys()];
  if (found.join("\0") !== [...keys].sort().join("\0")) throw new Refusal("STORAGE_CORRUPT");
  return entries;
}

export function intOf(
  value: Typed | undefined,
  min = 0,
  max: number = Number.MAX_SAFE_INTEGER,
): number {
  if (value?.t !== "int") throw new Refusal("STORAGE_CORRUPT");
  const number = BigInt(value.v);
  if (number < BigInt(min) || number > BigInt(max)) throw new Refusal("STORAGE_CORRUPT");
  return Number(number);
}

export function bytesOf(value: Typed | undefined, length?: number): Uint8Array {
  if (value?.t !== "bytes") throw new Refusal("STORAGE_CORRUPT");
  const found = Uint8Array.from(value.hex.match(/../g) ?? [], (b) => parseInt(b, 16));
  if (length !== undefined && found.length !== length) throw new Refusal("STORAGE_CORRUPT");
  return found;
}
