import { SttError } from "../errors.ts";
import { isU64, writeU32, writeU64 } from "./u64.ts";
import { writeVarint } from "./varint.ts";

/**
 * Writes big-endian fields one after the other into an array of fixed size. Running out of room or a field out of
 * range is a bug of the caller: `SttError` `INTERNAL`, except that {@link ByteWriter.varint} reports `VARINT_RANGE`.
 *
 * @example
 * ```ts
 * import { ByteWriter, toHex } from "@seigr/stt/codec";
 * import assert from "node:assert/strict";
 * const writer = new ByteWriter(new Uint8Array(16));
 * writer.u8(7);
 * writer.u16(1);
 * writer.varint(300);
 * assert.equal(toHex(writer.written()), "070001ac02");
 * ```
 */
export class ByteWriter {
  readonly #target: Uint8Array;
  readonly #start: number;
  /** Offset of the next byte to write. */
  offset: number;

  /** Writes into `target` from `offset` on. */
  constructor(target: Uint8Array, offset = 0) {
    this.#target = target;
    this.#start = offset;
    this.offset = offset;
  }

  /** Bytes of room left in the target. */
  get room(): number {
    return this.#target.length - this.offset;
  }

  /** Writes one byte. */
  u8(value: number): void {
    const at = this.#take(1, value, 0xff);
    this.#target[at] = value;
  }

  /** Writes two bytes. */
  u16(value: number): void {
    const at = this.#take(2, value, 0xffff);
    this.#target[at] = value >>> 8;
    this.#target[at + 1] = value;
  }

  /** Writes four bytes. */
  u32(value: number): void {
    writeU32(this.#target, this.#take(4, value, 0xffff_ffff), value);
  }

  /** Writes eight bytes of an integer from 0 to 2^64-1. */
  u64(value: number | bigint): void {
    if (!isU64(value)) throw fieldError(8, value);
    writeU64(this.#target, this.#take(8, 0, 0), value);
  }

  /** Copies `bytes`. */
  bytes(bytes: Uint8Array): void {
    const at = this.#take(bytes.length, 0, 0);
    this.#target.set(bytes, at);
  }

  /** Writes a varint. @throws {SttError} `VARINT_RANGE` for what a varint cannot hold. */
  varint(value: number | bigint): void {
    this.offset = writeVarint(this.#target, this.offset, value);
  }

  /** A view of what was written since construction. */
  written(): Uint8Array {
    return this.#target.subarray(this.#start, this.offset);
  }

  #take(length: number, value: number, limit: number): number {
    const at = this.offset;
    if (length > this.#target.length - at) {
      throw new SttError(
        "INTERNAL",
        `cannot write field: ${length} bytes at offset ${at} pass the target of ${this.#target.length}`,
        { offset: at, limit: this.#target.length },
      );
    }
    if (!(value >= 0 && value <= limit && Number.isInteger(value))) throw fieldError(length, value);
    this.offset = at + length;
    return at;
  }
}

function fieldError(length: number, value: number | bigint): SttError {
  return new SttError("INTERNAL", `cannot write field: ${value} does not fit ${length} bytes`);
}
