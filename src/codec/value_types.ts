import { SttError } from "../errors.ts";

/** The quiet NaN that JavaScript's NaN is written as. */
export const DEFAULT_NAN_BITS = 0x7ff8_0000_0000_0000n;

/**
 * Everything that a value can be.
 *
 * | JavaScript | on the wire |
 * |---|---|
 * | `null`, `true`, `false` | null, true, false |
 * | safe integer `number` (not -0), `bigint` from -2^63 to 2^64-1 | the smallest signed integer that fits; uint64 above 2^63-1 |
 * | any other `number` that is not an unsafe integer: fractions, -0, NaN, infinities | float64 |
 * | {@link Float} | float64 |
 * | `string` without lone surrogates | string, UTF-8 |
 * | `Uint8Array` | bytes |
 * | array | list |
 * | `Map` with string keys, plain or null-prototype object | dict |
 *
 * Decoding gives `number` for safe integers and `bigint` for the others, {@link Float} for floats without a fraction
 * (and for a NaN with bits of its own), and `Map` for dicts. What was decoded encodes to the same bytes, if those were
 * canonical.
 */
export type SttValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Float
  | SttValue[]
  | Map<string, SttValue>
  | { [key: string]: SttValue };

/**
 * A float64 that stays a float: `1` is an integer, `new Float(1)` is 1.0.
 *
 * @example
 * ```ts
 * import { encodeValue, Float, toHex } from "@seigr/stt/codec";
 * import assert from "node:assert/strict";
 * assert.equal(toHex(encodeValue(1)), "1001");
 * assert.equal(toHex(encodeValue(new Float(1))), "213ff0000000000000");
 * ```
 */
export class Float {
  /** The number. */
  readonly value: number;
  /**
   * IEEE 754 bits of a NaN other than the default 7ff8000000000000, else undefined. A `number` cannot carry them: engines
   * may change the payload of a NaN at any time.
   */
  readonly nanBits: bigint | undefined;

  /** Wraps a number. @throws {SttError} `VALUE_TYPE` when `value` is none. */
  constructor(value: number) {
    if (typeof value !== "number") {
      throw new SttError("VALUE_TYPE", `cannot make Float: ${typeof value} is not a number`);
    }
    this.value = value;
    this.nanBits = undefined;
  }

  /**
   * The float64 with these 64 bits, the bits of a NaN included.
   *
   * @throws {SttError} `VALUE_RANGE` when `bits` is not between 0 and 2^64-1.
   */
  static fromBits(bits: bigint): Float {
    if (bits < 0n || bits > 0xffff_ffff_ffff_ffffn) {
      throw new SttError("VALUE_RANGE", "cannot make Float: bits are outside of 0 to 2^64-1");
    }
    const view = new DataView(new ArrayBuffer(8));
    view.setBigUint64(0, bits);
    const float = new Float(view.getFloat64(0));
    if (!Number.isNaN(float.value) || bits === DEFAULT_NAN_BITS) return float;
    return Object.assign(float, { nanBits: bits });
  }
}
