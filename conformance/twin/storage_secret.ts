/** SPEC 14.1, the secrets of data at rest: written from the specification, in the plainest way. @module */
import { scryptSync } from "node:crypto";
import { ascii, Refusal } from "./bytes.ts";

/** A seed, or a passphrase with its cost. */
export type TwinSecret = Uint8Array | string;

export interface Cost {
  readonly n: number;
  readonly r: number;
  readonly p: number;
  readonly salt: Uint8Array;
}

export function costFits({ n, r, p }: Omit<Cost, "salt">): boolean {
  const powers = Array.from({ length: 11 }, (_, i) => 2 ** (10 + i));
  return powers.includes(n) && r >= 1 && r <= 32 && p >= 1 && p <= 16 && 128 * n * r <= 2 ** 27;
}

/** 14.1.1 */
export function secretOf(secret: TwinSecret, cost: Cost | undefined, wrong: string): Uint8Array {
  if (typeof secret !== "string") {
    if (cost !== undefined) throw new Refusal(wrong);
    return secret;
  }
  if (cost === undefined) throw new Refusal(wrong);
  const options = { N: cost.n, r: cost.r, p: cost.p, maxmem: 256 * 1024 * 1024 };
  return Uint8Array.from(scryptSync(ascii(secret.normalize("NFC")), cost.salt, 32, options));
}
