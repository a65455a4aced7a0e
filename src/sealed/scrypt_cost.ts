/**
 * The cost of scrypt as files record it (SPEC 14.1).
 *
 * @module
 */

/** Random bytes that scrypt is salted with. */
export const KDF_SALT_BYTES = 32;

/** Cost parameters of scrypt (RFC 7914). */
export interface ScryptCost {
  /** A power of two from 2^10 to 2^20. Memory is 128 * N * r bytes, at most 128 MiB. */
  readonly N: number;
  /** Block size, 1 to 32. */
  readonly r: number;
  /** Parallelism, 1 to 16. */
  readonly p: number;
}

/** SPEC 5.4: what a passphrase costs unless told otherwise: about half a second and 128 MiB. */
export const DEFAULT_SCRYPT_COST: ScryptCost = { N: 2 ** 17, r: 8, p: 1 };

const MAX_MEMORY = 128 * 1024 * 1024;

/** The parameters alone when they are within limits: a file must not decide how much memory opening it takes. */
export function scryptCost({ N, r, p }: ScryptCost): ScryptCost | undefined {
  const power = Math.log2(N);
  const fits = Number.isInteger(power) && power >= 10 && power <= 20 &&
    Number.isInteger(r) && r >= 1 && r <= 32 && Number.isInteger(p) && p >= 1 && p <= 16 &&
    128 * N * r <= MAX_MEMORY;
  return fits ? { N, r, p } : undefined;
}
