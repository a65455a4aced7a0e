/** SPEC 2, spelled out over a typed notation, so that no host type blurs a difference. @module */
import {
  bigEndian,
  concat,
  hex,
  readBigEndian,
  readUtf8,
  Refusal,
  unhex,
  writeUtf8,
} from "./bytes.ts";

/** The notation of the data files: `t` is the type; integers are decimal strings, floats their IEEE-754 bytes. */
export type Typed =
  | { readonly t: "null" }
  | { readonly t: "bool"; readonly v: boolean }
  | { readonly t: "int"; readonly v: string }
  | { readonly t: "float"; readonly ieee754_be_hex: string }
  | { readonly t: "bytes"; readonly hex: string }
  | { readonly t: "str"; readonly v: string }
  | { readonly t: "list"; readonly v: readonly Typed[] }
  | { readonly t: "dict"; readonly entries: readonly (readonly [string, Typed])[] };

export interface DecodeRules {
  readonly canonical?: boolean;
  readonly maxDepth?: number;
  readonly maxEntries?: number;
  /** The Python reference's decoder: see reference notes in the data files. */
  readonly lax?: boolean;
}

const DEPTH = 64;
const I64_MIN = -(2n ** 63n);
const I64_MAX = 2n ** 63n - 1n;
const U64_MAX = 2n ** 64n - 1n;

export function encodeValue(value: Typed, depth: number = 0): Uint8Array {
  switch (value.t) {
    case "null":
      return Uint8Array.of(0x00);
    case "bool":
      return Uint8Array.of(value.v ? 0x02 : 0x01);
    case "int":
      return encodeInteger(BigInt(value.v));
    case "float": {
      const bytes = unhex(value.ieee754_be_hex);
      if (bytes.length !== 8) throw new Error("a float needs 8 bytes");
      return concat(Uint8Array.of(0x21), bytes);
    }
    case "bytes":
      return sized(0x30, unhex(value.hex));
    case "str":
      return encodeString(value.v);
    case "list":
      if (depth >= DEPTH) throw new Refusal("VALUE_DEPTH");
      return concat(
        Uint8Array.of(0x40),
        bigEndian(BigInt(value.v.length), 4),
        ...value.v.map((item) => encodeValue(item, depth + 1)),
      );
    case "dict":
      return encodeDict(value.entries, depth);
    default:
      throw new Refusal("VALUE_TYPE");
  }
}

function encodeDict(entries: readonly (readonly [string, Typed])[], depth: number): Uint8Array {
  if (depth >= DEPTH) throw new Refusal("VALUE_DEPTH");
  const seen = new Set<string>();
  const pairs = entries.map(([key, item]) => {
    if (typeof key !== "string") throw new Refusal("VALUE_KEY");
    if (seen.has(key)) throw new Refusal("VALUE_DUPLICATE_KEY");
    seen.add(key);
    return {
      key,
      points: codePoints(key),
      bytes: concat(encodeString(key), encodeValue(item, depth + 1)),
    };
  });
  pairs.sort((a, b) => comparePoints(a.points, b.points));
  return concat(
    Uint8Array.of(0x41),
    bigEndian(BigInt(pairs.length), 4),
    ...pairs.map((pair) => pair.bytes),
  );
}

function encodeInteger(value: bigint): Uint8Array {
  if (value < I64_MIN || value > U64_MAX) throw new Refusal("VALUE_RANGE");
  if (value > I64_MAX) return concat(Uint8Array.of(0x17), bigEndian(value, 8));
  for (const [tag, width] of [[0x10, 1], [0x11, 2], [0x12, 4], [0x13, 8]] as const) {
    const limit = 2n ** BigInt(8 * width - 1);
    if (value >= -limit && value < limit) {
      return concat(Uint8Array.of(tag), bigEndian(value, width));
    }
  }
  throw new Refusal("VALUE_RANGE");
}

function encodeString(text: string): Uint8Array {
  const bytes = writeUtf8(text);
  if (bytes === undefined) throw new Refusal("VALUE_UTF8");
  return sized(0x31, bytes);
}

function sized(tag: number, bytes: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(tag), bigEndian(BigInt(bytes.length), 4), bytes);
}

function codePoints(text: string): number[] {
  return Array.from(text, (character) => character.codePointAt(0) as number);
}

function comparePoints(a: number[], b: number[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    if (a[i] !== b[i]) return (a[i] as number) - (b[i] as number);
  }
  return a.length - b.length;
}

/** One whole value; bytes behind it are refused, except by the lax rules. */
export function decodeValue(bytes: Uint8Array, rules: DecodeRules = {}): Typed {
  const reader = new Reader(bytes, rules);
  const value = reader.value(0);
  if (rules.lax !== true && reader.offset !== bytes.length) throw new Refusal("VALUE_TRAILING");
  return value;
}

const INTEGERS: Record<number, readonly [number, boolean]> = {
  0x10: [1, true],
  0x11: [2, true],
  0x12: [4, true],
  0x13: [8, true],
  0x14: [1, false],
  0x15: [2, false],
  0x16: [4, false],
  0x17: [8, false],
};

class Reader {
  readonly #bytes: Uint8Array;
  readonly #rules: DecodeRules;
  offset = 0;

  constructor(bytes: Uint8Array, rules: DecodeRules) {
    this.#bytes = bytes;
    this.#rules = rules;
  }

  take(length: number): Uint8Array {
    if (this.offset + length > this.#bytes.length) throw new Refusal("VALUE_INCOMPLETE");
    this.offset += length;
    return this.#bytes.subarray(this.offset - length, this.offset);
  }

  value(depth: number): Typed {
    const tag = this.take(1)[0] as number;
    const lax = this.#rules.lax === true;
    const integer = INTEGERS[tag];
    if (integer !== undefined && !(lax && tag >= 0x14)) return this.integer(tag, ...integer);
    switch (tag) {
      case 0x00:
        return { t: "null" };
      case 0x01:
        return { t: "bool", v: false };
      case 0x02:
        return { t: "bool", v: true };
      case 0x20:
        if (!lax) return this.float32();
        break;
      case 0x21:
        return { t: "float", ieee754_be_hex: hex(this.take(8)) };
      case 0x30:
        return { t: "bytes", hex: hex(this.content()) };
      case 0x31:
        return { t: "str", v: this.text() };
      case 0x40:
        return this.list(depth);
      case 0x41:
        return this.dict(depth);
    }
    throw new Refusal("VALUE_TAG");
  }

  integer(tag: number, width: number, signed: boolean): Typed {
    const raw = readBigEndian(this.take(width));
    const value = signed ? BigInt.asIntN(8 * width, raw) : raw;
    if (this.#rules.canonical === true && encodeInteger(value)[0] !== tag) {
      throw new Refusal("VALUE_NOT_CANONICAL");
    }
    return { t: "int", v: value.toString() };
  }

  float32(): Typed {
    const raw = this.take(4);
    if (this.#rules.canonical === true) throw new Refusal("VALUE_NOT_CANONICAL");
    const view = new DataView(new ArrayBuffer(8));
    raw.forEach((byte, i) => view.setUint8(i, byte));
    const value = view.getFloat32(0);
    // SPEC 2.5: which bits of a float32 NaN survive widening is up to the machine, so none do.
    if (Number.isNaN(value)) return { t: "float", ieee754_be_hex: "7ff8000000000000" };
    view.setFloat64(0, value);
    return { t: "float", ieee754_be_hex: hex(new Uint8Array(view.buffer)) };
  }

  count(): number {
    return Number(readBigEndian(this.take(4)));
  }

  content(): Uint8Array {
    const length = this.count();
    const left = this.#bytes.length - this.offset;
    if (length > left) {
      if (this.#rules.lax === true) return this.take(left);
      throw new Refusal("VALUE_LENGTH");
    }
    return this.take(length);
  }

  text(): string {
    const text = readUtf8(this.content());
    if (text === undefined) throw new Refusal("VALUE_UTF8");
    return text;
  }

  entries(depth: number): number {
    if (this.#rules.lax !== true && depth >= (this.#rules.maxDepth ?? DEPTH)) {
      throw new Refusal("VALUE_DEPTH");
    }
    const count = this.count();
    if (this.#rules.lax !== true && count > this.#bytes.length - this.offset) {
      throw new Refusal("VALUE_LENGTH");
    }
    if (count > (this.#rules.maxEntries ?? Infinity)) throw new Refusal("VALUE_ENTRIES");
    return count;
  }

  list(depth: number): Typed {
    const items: Typed[] = [];
    const count = this.entries(depth);
    for (let i = 0; i < count; i++) items.push(this.value(depth + 1));
    return { t: "list", v: items };
  }

  dict(depth: number): Typed {
    const count = this.entries(depth);
    const entries = new Map<string, Typed>();
    let previous: number[] | undefined;
    for (let i = 0; i < count; i++) {
      const key = this.key();
      if (this.#rules.lax !== true && entries.has(key)) throw new Refusal("VALUE_DUPLICATE_KEY");
      const points = codePoints(key);
      if (
        this.#rules.canonical === true && previous !== undefined &&
        comparePoints(previous, points) >= 0
      ) throw new Refusal("VALUE_UNSORTED");
      previous = points;
      entries.set(key, this.value(depth + 1));
    }
    return { t: "dict", entries: [...entries] };
  }

  key(): string {
    if (this.#rules.lax !== true && this.#bytes[this.offset] !== undefined) {
      if (this.#bytes[this.offset] !== 0x31) throw new Refusal("VALUE_KEY");
    }
    const key = this.value(0);
    if (key.t !== "str") throw new Refusal("VALUE_KEY");
    return key.v;
  }
}

/** Equality of two typed values; dicts are compared without regard to order, NaN by its bits. */
export function sameValue(a: Typed, b: Typed): boolean {
  return notation(a) === notation(b);
}

function notation(value: Typed): string {
  switch (value.t) {
    case "list":
      return `[${value.v.map(notation).join(",")}]`;
    case "dict": {
      const entries = value.entries.map(([key, item]) => [JSON.stringify(key), notation(item)]);
      entries.sort((a, b) => ((a[0] as string) < (b[0] as string) ? -1 : 1));
      return `{${entries.map((entry) => entry.join(":")).join(",")}}`;
    }
    case "null":
      return "null";
    case "bool":
      return `bool ${value.v}`;
    case "int":
      return `int ${BigInt(value.v)}`;
    case "float":
      return `float ${value.ieee754_be_hex.toLowerCase()}`;
    case "bytes":
      return `bytes ${value.hex.toLowerCase()}`;
    default:
      return `${value.t} ${JSON.stringify((value as { v?: unknown }).v)}`;
  }
}
