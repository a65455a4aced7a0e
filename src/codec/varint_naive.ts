import type { ErrorCode } from "../errors.ts";

/** The obvious varint codec, all in bigint: what varint.ts must agree with. For tests only. */
export function encodeVarintNaive(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const bits = Number(rest % 128n);
    rest /= 128n;
    bytes.push(rest > 0n ? bits + 128 : bits);
  } while (rest > 0n);
  return bytes;
}

/** The value and its size, or the code of the refusal. */
export function decodeVarintNaive(
  bytes: readonly number[],
): { value: bigint; size: number } | ErrorCode {
  const last = bytes.findIndex((byte) => byte < 128);
  if (last > 9 || (last < 0 && bytes.length >= 10)) return "VARINT_OVERFLOW";
  if (last < 0) return "VARINT_INCOMPLETE";
  const value = bytes
    .slice(0, last + 1)
    .reduceRight((sum, byte) => sum * 128n + BigInt(byte % 128), 0n);
  if (encodeVarintNaive(value).length !== last + 1) return "VARINT_NON_MINIMAL";
  return value < 2n ** 64n ? { value, size: last + 1 } : "VARINT_OVERFLOW";
}
