import { decodeError } from "./decode_error.ts";
import { readU32, readU64 } from "./u64.ts";
import { readVarintNumber, varintSize } from "./varint.ts";

/**
 * Reads big-endian fields one after the other, never past `end`. Nothing is copied.
 *
 * @example
 * ```ts
 * import { ByteReader } from "@seigr/stt/codec";
 * import assert from "node:assert/strict";
 * const reader = new ByteReader(new Uint8Array([7, 0, 1, 0xac, 0x02]));
 * assert.deepEqual([reader.u8(), reader.u16(), reader.varint()], [7, 1, 300]);
 * assert.equal(reader.remaining, 0);
 * ```
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  /** Offset of the next byte to read. */
  offset: number;
  /** Offset behind the last byte that may be read. */
  readonly end: number;

  /** Reads `bytes[offset, end)`; by default all of `bytes`. */
  constructor(bytes: Uint8Array, offset = 0, end: number = bytes.length) {
    this.#bytes = bytes;
    this.end = Math.min(end, bytes.length);
    this.offset = offset;
  }

  /** Bytes left. */
  get remaining(): number {
    return this.end - this.offset;
  }

  /** Reads one byte. @throws {SttError} `BYTES_INCOMPLETE` at the end. */
  u8(): number {
    return this.#bytes[this.#take(1)] as number;
  }

  /** Reads two bytes. @throws {SttError} `BYTES_INCOMPLETE` at the end. */
  u16(): number {
    const at = this.#take(2);
    return ((this.#bytes[at] as number) << 8) | (this.#bytes[at + 1] as number);
  }

  /** Reads four bytes. @throws {SttError} `BYTES_INCOMPLETE` at the end. */
  u32(): number {
    return readU32(this.#bytes, this.#take(4));
  }

  /** Reads eight bytes: a `bigint` above 2^53-1. @throws {SttError} `BYTES_INCOMPLETE` at the end. */
  u64(): number | bigint {
    return readU64(this.#bytes, this.#take(8));
  }

  /** A view of the next `length` bytes. @throws {SttError} `BYTES_INCOMPLETE` when fewer remain. */
  bytes(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  /**
   * Reads a varint.
   *
   * @throws {SttError} `VARINT_INCOMPLETE`, `VARINT_NON_MINIMAL`, `VARINT_OVERFLOW`, or `VARINT_RANGE` above 2^53-1.
   */
  varint(): number {
    const value = readVarintNumber(this.#bytes, this.offset, this.end);
    this.offset += varintSize(value);
    return value;
  }

  #take(length: number): number {
    const at = this.offset;
    if (length < 0 || length > this.end - at) {
      throw decodeError(
        "BYTES_INCOMPLETE",
        "field",
        `${length} bytes needed, ${this.end - at} left`,
        at,
      );
    }
    this.offset = at + length;
    return at;
  }
}
