/** SPEC 1, spelled out with BigInt. @module */
import { Refusal } from "./bytes.ts";

export const U64_MAX: bigint = 2n ** 64n - 1n;
export const SAFE_MAX: bigint = 2n ** 53n - 1n;

export function encodeVarint(value: bigint): Uint8Array {
  if (value < 0n || value > U64_MAX) throw new Refusal("VARINT_RANGE");
  return lebBytes(value);
}

/** What the Python reference writes: any size. */
export function encodeVarintLax(value: bigint): Uint8Array {
  if (value < 0n) throw new Refusal("VARINT_RANGE");
  return lebBytes(value);
}

function lebBytes(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = Number(rest % 128n);
    rest /= 128n;
    bytes.push(rest > 0n ? low + 128 : low);
  } while (rest > 0n);
  return Uint8Array.from(bytes);
}

export interface DecodedVarint {
  readonly value: bigint;
  readonly size: number;
}

export function decodeVarint(bytes: Uint8Array, offset: number = 0): DecodedVarint {
  const found = scan(bytes, offset);
  if (found.value > U64_MAX) throw new Refusal("VARINT_OVERFLOW");
  if (encodeVarint(found.value).length !== found.size) throw new Refusal("VARINT_NON_MINIMAL");
  return found;
}

/** What the Python reference accepts: overlong forms and up to 70 bits, but no continuation bit on the tenth byte. */
export function decodeVarintLax(bytes: Uint8Array, offset: number = 0): DecodedVarint {
  return scan(bytes, offset);
}

function scan(bytes: Uint8Array, offset: number): DecodedVarint {
  let value = 0n;
  for (let i = 0; i < 10; i++) {
    const byte = bytes[offset + i];
    if (byte === undefined) throw new Refusal("VARINT_INCOMPLETE");
    value += BigInt(byte % 128) * 128n ** BigInt(i);
    if (byte < 128) return { value, size: i + 1 };
  }
  throw new Refusal("VARINT_OVERFLOW");
}
