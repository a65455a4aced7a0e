import { VALUE_MAX_DEPTH } from "../constants.ts";
import { type ErrorCode, SttError } from "../errors.ts";
import { compareCodePoints, isWellFormed } from "./code_points.ts";
import { isShortText, writeShortText } from "./short_text.ts";
import { writeU32, writeU64 } from "./u64.ts";
import {
  TAG_BYTES,
  TAG_DICT,
  TAG_FALSE,
  TAG_FLOAT64,
  TAG_INT16,
  TAG_INT32,
  TAG_INT64,
  TAG_INT8,
  TAG_LIST,
  TAG_NULL,
  TAG_STRING,
  TAG_TRUE,
  TAG_UINT64,
} from "./value_tags.ts";
import { DEFAULT_NAN_BITS, Float, type SttValue } from "./value_types.ts";

const MIN_I64 = -0x8000_0000_0000_0000n;
const MAX_I64 = 0x7fff_ffff_ffff_ffffn;
const MAX_U64 = 0xffff_ffff_ffff_ffffn;
const MAX_U32 = 0xffff_ffff;
const UTF8: TextEncoder = new TextEncoder();

/**
 * Encodes a value in its one canonical form: smallest integers, float64, keys sorted by code point.
 *
 * @throws {SttError} `VALUE_TYPE` for what has no encoding (undefined, functions, symbols, class instances, arrays with
 * holes, keys that are no strings), `VALUE_RANGE` for an integer-valued `number` that is not safe (use a `bigint`, or
 * {@link Float}) and a `bigint` outside of -2^63 to 2^64-1, `VALUE_UTF8` for a lone surrogate, `VALUE_DEPTH` above 64
 * nested containers, which a cycle is too.
 *
 * @example
 * ```ts
 * import { encodeValue, toHex } from "@seigr/stt/codec";
 * import assert from "node:assert/strict";
 * const hex = toHex(encodeValue({ name: "Alice", age: 30 }));
 * assert.equal(hex, "41000000023100000003616765101e31000000046e616d653100000005416c696365");
 * ```
 */
export function encodeValue(value: SttValue): Uint8Array {
  const encoder = new ValueEncoder();
  encoder.value(value, 0);
  return encoder.finish();
}

class ValueEncoder {
  #bytes: Uint8Array = new Uint8Array(256);
  #length = 0;

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  value(value: SttValue, depth: number): void {
    switch (typeof value) {
      case "boolean":
        return this.#tag(value ? TAG_TRUE : TAG_FALSE);
      case "number":
        return this.#number(value);
      case "bigint":
        return this.#bigint(value);
      case "string":
        return this.#string(value);
      case "object":
        return this.#object(value, depth);
      default:
        throw encodeError("VALUE_TYPE", `${typeof value} has no encoding`);
    }
  }

  #object(value: SttValue & (object | null), depth: number): void {
    if (value === null) return this.#tag(TAG_NULL);
    if (value instanceof Uint8Array) return this.#bytesValue(TAG_BYTES, value);
    if (value instanceof Float) return this.#float(value.value, value.nanBits);
    if (depth >= VALUE_MAX_DEPTH) {
      throw new SttError(
        "VALUE_DEPTH",
        `cannot encode value: it nests deeper than ${VALUE_MAX_DEPTH}`,
        { limit: VALUE_MAX_DEPTH },
      );
    }
    if (Array.isArray(value)) return this.#list(value, depth + 1);
    if (value instanceof Map) {
      return this.#dict([...value.keys()], (key) => value.get(key), depth + 1);
    }
    const prototype: unknown = Object.getPrototypeOf(value);
    // An instance of a class has meaning beyond its fields; writing those would lose it silently.
    if (prototype !== Object.prototype && prototype !== null) {
      throw encodeError("VALUE_TYPE", "an object of a class has no encoding");
    }
    const dict = value as { readonly [key: string]: SttValue };
    this.#dict(Object.keys(dict), (key) => dict[key], depth + 1);
  }

  #number(value: number): void {
    if (!Number.isInteger(value) || Object.is(value, -0)) return this.#float(value);
    if (!Number.isSafeInteger(value)) {
      throw encodeError("VALUE_RANGE", `${value} is no safe integer: use a bigint or Float`);
    }
    if (value >= -0x80 && value <= 0x7f) {
      this.#tag(TAG_INT8);
      const at = this.#grow(1);
      this.#bytes[at] = value;
    } else if (value >= -0x8000 && value <= 0x7fff) {
      this.#tag(TAG_INT16);
      const at = this.#grow(2);
      this.#bytes[at] = value >> 8;
      this.#bytes[at + 1] = value;
    } else if (value >= -0x8000_0000 && value <= 0x7fff_ffff) {
      this.#tag(TAG_INT32);
      const at = this.#grow(4);
      writeU32(this.#bytes, at, value);
    } else {
      this.#wide(TAG_INT64, value);
    }
  }

  #bigint(value: bigint): void {
    if (value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER) {
      return this.#number(Number(value));
    }
    if (value >= MIN_I64 && value <= MAX_I64) return this.#wide(TAG_INT64, value);
    if (value > MAX_I64 && value <= MAX_U64) return this.#wide(TAG_UINT64, value);
    throw encodeError("VALUE_RANGE", "an integer is outside of -2^63 to 2^64-1");
  }

  #wide(tag: number, value: number | bigint): void {
    this.#tag(tag);
    const at = this.#grow(8);
    writeU64(this.#bytes, at, value);
  }

  #float(value: number, nanBits: bigint = DEFAULT_NAN_BITS): void {
    this.#tag(TAG_FLOAT64);
    const at = this.#grow(8);
    // SPEC 2: NaN survives. setFloat64 may write any NaN for NaN, so its bits are written as an integer.
    if (Number.isNaN(value)) writeU64(this.#bytes, at, nanBits);
    else new DataView(this.#bytes.buffer).setFloat64(at, value);
  }

  #string(value: string): void {
    if (isShortText(value)) {
      this.#count(TAG_STRING, value.length);
      const at = this.#grow(value.length);
      return writeShortText(this.#bytes, at, value);
    }
    if (!isWellFormed(value)) throw encodeError("VALUE_UTF8", "a string has a lone surrogate");
    this.#bytesValue(TAG_STRING, UTF8.encode(value));
  }

  #bytesValue(tag: number, value: Uint8Array): void {
    this.#count(tag, value.length);
    const at = this.#grow(value.length);
    this.#bytes.set(value, at);
  }

  #list(list: SttValue[], depth: number): void {
    this.#count(TAG_LIST, list.length);
    // By index: holes must not be skipped.
    for (let index = 0; index < list.length; index++) this.value(list[index] as SttValue, depth);
  }

  #dict(keys: string[], valueOf: (key: string) => SttValue | undefined, depth: number): void {
    let sorted = true;
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index]!;
      if (typeof key !== "string") {
        throw encodeError("VALUE_TYPE", `a dict key is a ${typeof key}, not a string`);
      }
      sorted &&= index === 0 || compareCodePoints(keys[index - 1]!, key) < 0;
    }
    // What was decoded is sorted.
    if (!sorted) keys.sort(compareCodePoints);
    this.#count(TAG_DICT, keys.length);
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index]!;
      this.#string(key);
      this.value(valueOf(key) as SttValue, depth);
    }
  }

  #count(tag: number, count: number): void {
    if (count > MAX_U32) {
      throw encodeError("VALUE_RANGE", `length ${count} exceeds ${MAX_U32}`);
    }
    this.#tag(tag);
    const at = this.#grow(4);
    writeU32(this.#bytes, at, count);
  }

  #tag(tag: number): void {
    const at = this.#grow(1);
    this.#bytes[at] = tag;
  }

  /** Makes room for `count` bytes and returns their offset. */
  #grow(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
    }
    return at;
  }
}

function encodeError(code: ErrorCode, why: string): SttError {
  return new SttError(code, `cannot encode value: ${why}`);
}
