/**
 * Big-endian integers of 32 and 64 bits without a DataView. 64-bit values are read as two halves, so that BigInt is
 * touched only above 2^53-1.
 */

const TWO_32 = 4_294_967_296;

export function readU32(bytes: Uint8Array, offset: number): number {
  return (
    (((bytes[offset] as number) << 24) |
      ((bytes[offset + 1] as number) << 16) |
      ((bytes[offset + 2] as number) << 8) |
      (bytes[offset + 3] as number)) >>> 0
  );
}

export function writeU32(target: Uint8Array, offset: number, value: number): void {
  target[offset] = value >>> 24;
  target[offset + 1] = value >>> 16;
  target[offset + 2] = value >>> 8;
  target[offset + 3] = value;
}

/** A `number` when safe, else a `bigint`. */
export function readU64(bytes: Uint8Array, offset: number): number | bigint {
  const high = readU32(bytes, offset);
  const low = readU32(bytes, offset + 4);
  if (high < 0x20_0000) return high * TWO_32 + low;
  return (BigInt(high) << 32n) | BigInt(low);
}

/** The value, or -1 above 2^53-1. */
export function readU64Number(bytes: Uint8Array, offset: number): number {
  const high = readU32(bytes, offset);
  return high < 0x20_0000 ? high * TWO_32 + readU32(bytes, offset + 4) : -1;
}

/** `value` is a safe integer from 0; the caller checked it. */
export function writeU64Number(target: Uint8Array, offset: number, value: number): void {
  writeU32(target, offset, Math.floor(value / TWO_32));
  writeU32(target, offset + 4, value >>> 0);
}

/** Writes any 64-bit integer, two's complement when negative; the caller checked the range. */
export function writeU64(target: Uint8Array, offset: number, value: number | bigint): void {
  if (typeof value === "number") {
    const high = Math.floor(value / TWO_32);
    writeU32(target, offset, high >>> 0);
    writeU32(target, offset + 4, (value - high * TWO_32) >>> 0);
    return;
  }
  writeU32(target, offset, Number(BigInt.asUintN(32, value >> 32n)));
  writeU32(target, offset + 4, Number(BigInt.asUintN(32, value)));
}

/** True for an integer from 0 to 2^64-1, given as a safe number or a bigint. */
export function isU64(value: number | bigint): boolean {
  return typeof value === "number"
    ? Number.isSafeInteger(value) && value >= 0
    : typeof value === "bigint" && value >= 0n && value <= 0xffff_ffff_ffff_ffffn;
}
