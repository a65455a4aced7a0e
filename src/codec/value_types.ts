import { SttError } from "../errors.ts";

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
 * and `Map` for dicts.
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

  /** Wraps a number. @throws {SttError} `VALUE_TYPE` when `value` is none. */
  constructor(value: number) {
    if (typeof value !== "number") {
      throw new SttError("VALUE_TYPE", `cannot make Float: ${typeof value} is not a number`);
    }
    this.value = value;
  }
}
