import { VALUE_MAX_DEPTH } from "../constants.ts";
import type { SttError } from "../errors.ts";
import { compareCodePoints } from "./code_points.ts";
import { decodeError } from "./decode_error.ts";
import { shortText } from "./short_text.ts";
import { readU32, readU64 } from "./u64.ts";
import {
  TAG_BYTES,
  TAG_DICT,
  TAG_FALSE,
  TAG_FLOAT32,
  TAG_FLOAT64,
  TAG_INT8,
  TAG_LIST,
  TAG_NULL,
  TAG_STRING,
  TAG_TRUE,
  TAG_UINT64,
  TAG_UINT8,
} from "./value_tags.ts";
import { DEFAULT_NAN_BITS, Float, type SttValue } from "./value_types.ts";

const UTF8: TextDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const TWO_32 = 4_294_967_296;
const MAX_I64 = 0x7fff_ffff_ffff_ffffn;

/** Limits and strictness of {@link decodeValue}. */
export interface ValueDecodeOptions {
  /** Also refuse unsorted keys and numbers that {@link encodeValue} would write otherwise; false by default. */
  readonly canonical?: boolean;
  /** Deepest nesting of lists and dicts taken; the outermost is 1. At most, and by default, 64. */
  readonly maxDepth?: number;
  /** Most entries taken in each list and dict; no limit by default but the bytes that remain. */
  readonly maxEntries?: number;
}

/** A value and the bytes that it took. */
export interface DecodedValue {
  /** The value. */
  readonly value: SttValue;
  /** Bytes from the tag to the last byte of the content. */
  readonly size: number;
}

/**
 * Decodes bytes that hold exactly one value. Byte strings are copied, so the value outlives `bytes`.
 *
 * @returns A dict becomes a `Map` in the order of the wire, so `__proto__` is a key like any other.
 * @throws {SttError} `VALUE_INCOMPLETE`, `VALUE_TAG`, `VALUE_UTF8`, `VALUE_KEY`, `VALUE_DUPLICATE_KEY`, `VALUE_TRAILING`,
 * `VALUE_DEPTH`, `VALUE_LENGTH`, `VALUE_ENTRIES`; when canonical, also `VALUE_UNSORTED` and `VALUE_NOT_CANONICAL`.
 *
 * @example
 * ```ts
 * import { decodeValue, fromHex } from "@seigr/stt/codec";
 * import assert from "node:assert/strict";
 * const value = decodeValue(fromHex("41000000013100000003616765101e"), { canonical: true });
 * assert.deepEqual(value, new Map([["age", 30]]));
 * ```
 */
export function decodeValue(bytes: Uint8Array, options: ValueDecodeOptions = {}): SttValue {
  const { value, size } = decodeValueAt(bytes, 0, options);
  if (size < bytes.length) {
    throw decodeError("VALUE_TRAILING", "value", `${bytes.length - size} bytes follow it`, size);
  }
  return value;
}

/**
 * {@link decodeValue} of the value that starts at `offset`; what follows it is ignored.
 *
 * @throws {SttError} as {@link decodeValue}, but never `VALUE_TRAILING`.
 */
export function decodeValueAt(
  bytes: Uint8Array,
  offset: number,
  options: ValueDecodeOptions = {},
): DecodedValue {
  const decoder = new ValueDecoder(bytes, offset, options);
  const value = decoder.value(0);
  return { value, size: decoder.offset - offset };
}

class ValueDecoder {
  readonly #bytes: Uint8Array;
  readonly #canonical: boolean;
  readonly #maxDepth: number;
  readonly #maxEntries: number;
  offset: number;

  constructor(bytes: Uint8Array, offset: number, options: ValueDecodeOptions) {
    this.#bytes = bytes;
    this.offset = offset;
    this.#canonical = options.canonical ?? false;
    this.#maxDepth = Math.min(options.maxDepth ?? VALUE_MAX_DEPTH, VALUE_MAX_DEPTH);
    this.#maxEntries = options.maxEntries ?? Infinity;
  }

  value(depth: number): SttValue {
    const at = this.#take(1);
    const tag = this.#bytes[at] as number;
    switch (tag) {
      case TAG_NULL:
        return null;
      case TAG_FALSE:
        return false;
      case TAG_TRUE:
        return true;
      case TAG_FLOAT32:
        return this.#float32(at);
      case TAG_FLOAT64:
        return this.#float64();
      case TAG_BYTES:
        return this.#byteString();
      case TAG_STRING:
        return this.#text();
      case TAG_LIST:
        return this.#list(at, depth + 1);
      case TAG_DICT:
        return this.#dict(at, depth + 1);
      default:
        if (tag < TAG_INT8 || tag > TAG_UINT64) {
          throw decodeError("VALUE_TAG", "value", `unknown tag ${hexByte(tag)}`, at);
        }
        return this.#integer(tag, at);
    }
  }

  #integer(tag: number, tagAt: number): number | bigint {
    const size = 1 << (tag & 3);
    const at = this.#take(size);
    const signed = tag < TAG_UINT8;
    const value = signed ? readSigned(this.#bytes, at, size) : readUnsigned(this.#bytes, at, size);
    if (this.#canonical) {
      const wide = signed ? size > 1 && fitsSigned(value, size / 2) : value <= MAX_I64;
      if (wide) throw this.#notCanonical("a shorter or signed integer holds the same", tagAt);
    }
    return value;
  }

  #float32(tagAt: number): number | Float {
    const at = this.#take(4);
    if (this.#canonical) throw this.#notCanonical("float32 instead of float64", tagAt);
    return toFloat(view(this.#bytes, at, 4).getFloat32(0));
  }

  #float64(): number | Float {
    const at = this.#take(8);
    const data = view(this.#bytes, at, 8);
    const value = data.getFloat64(0);
    if (!Number.isNaN(value)) return toFloat(value);
    const bits = data.getBigUint64(0);
    return bits === DEFAULT_NAN_BITS ? value : Float.fromBits(bits);
  }

  #list(tagAt: number, depth: number): SttValue[] {
    this.#enter(tagAt, depth);
    const count = this.#count(true);
    // Not sized by the count: the list grows with what is really there.
    const list: SttValue[] = [];
    for (let index = 0; index < count; index++) list.push(this.value(depth));
    return list;
  }

  #dict(tagAt: number, depth: number): Map<string, SttValue> {
    this.#enter(tagAt, depth);
    const count = this.#count(true);
    const dict: Map<string, SttValue> = new Map();
    let previous: string | undefined;
    for (let index = 0; index < count; index++) {
      const at = this.#take(1);
      if (this.#bytes[at] !== TAG_STRING) {
        const tag = hexByte(this.#bytes[at] as number);
        throw decodeError("VALUE_KEY", "value", `a dict key has tag ${tag}, not a string's 31`, at);
      }
      const key = this.#text();
      if (dict.has(key)) throw decodeError("VALUE_DUPLICATE_KEY", "value", "a key comes twice", at);
      if (this.#canonical && previous !== undefined && compareCodePoints(previous, key) > 0) {
        throw decodeError("VALUE_UNSORTED", "value", "a key sorts before the one ahead of it", at);
      }
      previous = key;
      dict.set(key, this.value(depth));
    }
    return dict;
  }

  #byteString(): Uint8Array {
    const start = this.#content();
    // Not slice(): the Buffer of Node overrides it with a view.
    return Uint8Array.prototype.slice.call(this.#bytes, start, this.offset);
  }

  #text(): string {
    const start = this.#content();
    const short = shortText(this.#bytes, start, this.offset);
    if (short !== undefined) return short;
    try {
      return UTF8.decode(this.#bytes.subarray(start, this.offset));
    } catch (cause) {
      if (!(cause instanceof TypeError)) throw cause;
      throw decodeError("VALUE_UTF8", "value", "a string is not valid UTF-8", start);
    }
  }

  /** Reads a length and skips that many bytes; returns where they start. */
  #content(): number {
    return this.#take(this.#count(false));
  }

  #enter(tagAt: number, depth: number): void {
    if (depth > this.#maxDepth) {
      const why = `depth ${depth} exceeds ${this.#maxDepth}`;
      throw decodeError("VALUE_DEPTH", "value", why, tagAt, this.#maxDepth);
    }
  }

  /** Reads a u32 length or count. SPEC 2: never more than the bytes that remain, checked before any allocation. */
  #count(entries: boolean): number {
    const at = this.#take(4);
    const count = readU32(this.#bytes, at);
    const left = this.#bytes.length - this.offset;
    if (count > left) {
      const what = entries ? "count" : "length";
      throw decodeError("VALUE_LENGTH", "value", `${what} ${count} exceeds ${left}`, at, left);
    }
    if (entries && count > this.#maxEntries) {
      const why = `count ${count} exceeds ${this.#maxEntries}`;
      throw decodeError("VALUE_ENTRIES", "value", why, at, this.#maxEntries);
    }
    return count;
  }

  #take(size: number): number {
    const at = this.offset;
    const left = this.#bytes.length - at;
    if (size > left) {
      const why = `${size} bytes needed, ${Math.max(left, 0)} left`;
      throw decodeError("VALUE_INCOMPLETE", "value", why, at);
    }
    this.offset = at + size;
    return at;
  }

  #notCanonical(why: string, at: number): SttError {
    return decodeError("VALUE_NOT_CANONICAL", "value", why, at);
  }
}

function readUnsigned(bytes: Uint8Array, at: number, size: number): number | bigint {
  if (size === 8) return readU64(bytes, at);
  if (size === 4) return readU32(bytes, at);
  const first = bytes[at] as number;
  return size === 1 ? first : (first << 8) | (bytes[at + 1] as number);
}

function readSigned(bytes: Uint8Array, at: number, size: number): number | bigint {
  if (size < 8) {
    const shift = 32 - 8 * size;
    return (Number(readUnsigned(bytes, at, size)) << shift) >> shift;
  }
  const high = readU32(bytes, at) | 0;
  const low = readU32(bytes, at + 4);
  const value = high * TWO_32 + low;
  return Number.isSafeInteger(value) ? value : (BigInt(high) << 32n) | BigInt(low);
}

function fitsSigned(value: number | bigint, size: number): boolean {
  const limit = 2 ** (8 * size - 1);
  return value >= -limit && value < limit;
}

/** A float without a fraction keeps its wrapper, so that it encodes as a float again; -0, NaN and infinities do anyway. */
function toFloat(value: number): number | Float {
  return Number.isInteger(value) && !Object.is(value, -0) ? new Float(value) : value;
}

function view(bytes: Uint8Array, at: number, size: number): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset + at, size);
}

function hexByte(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}
