import { Prng } from "../../testing/prng.ts";

const POOL_BYTES = 1 << 21;
let pool: Uint8Array | undefined;

/** `length` bytes (at most 2^21) that look random. A view of memory that all payloads share: it must not be changed. */
export function payload(prng: Prng, length: number): Uint8Array {
  pool ??= new Prng(0x5eed).bytes(POOL_BYTES);
  const start = prng.integer(0, POOL_BYTES - length);
  return pool.subarray(start, start + length);
}
