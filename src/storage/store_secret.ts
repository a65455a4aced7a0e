/**
 * What opens a store or a sealed stream: a seed, or a passphrase with the cost of trying one.
 *
 * @module
 */
import type { CryptoProvider } from "../crypto/provider.ts";
import { wipe } from "../crypto/secret.ts";
import { checkSeed, passphraseBytes } from "../crypto/seeds.ts";
import { SttError } from "../errors.ts";
import { DEFAULT_SCRYPT_COST, type ScryptCost, scryptCost } from "../sealed/scrypt_cost.ts";

/** A passphrase of at least 12 characters. */
export interface StorePassphrase {
  /** Normalised to NFC, so that all keyboards spell it alike. */
  readonly passphrase: string;
  /**
   * What each guess costs, for what is newly written; what is opened says itself. By default N = 2^17, r = 8, p = 1:
   * about half a second and 128 MiB.
   */
  readonly scrypt?: ScryptCost;
}

/** A seed of at least 32 secret bytes, or a passphrase. A seed is not kept and may be erased afterwards. */
export type StoreSecret = Uint8Array | StorePassphrase;

/** The cost to write down for a new secret; null for a seed. @throws {SttError} SEED, CONFIG. */
export function costOf(secret: StoreSecret): ScryptCost | null {
  if (secret instanceof Uint8Array) {
    checkSeed("seed of the store", secret);
    return null;
  }
  wipe(passphraseBytes(secret.passphrase));
  const wanted = secret.scrypt ?? DEFAULT_SCRYPT_COST;
  const cost = scryptCost(wanted);
  if (cost !== undefined) return cost;
  const { N, r, p } = wanted;
  throw new SttError(
    "CONFIG",
    `cannot use scrypt with N = ${N}, r = ${r}, p = ${p}: N is a power of two from 2^10 to 2^20, ` +
      "r 1 to 32, p 1 to 16, 128 * N * r at most 128 MiB",
  );
}

/**
 * The secret bytes, which the caller erases.
 *
 * @param kdf What the store was made with; null for a seed.
 * @throws {SttError} SEED; `wrongKind` when a passphrase is given for what has a seed, or the other way round.
 */
export async function secretBytes(
  crypto: CryptoProvider,
  secret: StoreSecret,
  kdf: (ScryptCost & { readonly salt: Uint8Array }) | null,
  wrongKind: (text: string) => SttError,
): Promise<Uint8Array> {
  if (secret instanceof Uint8Array) {
    checkSeed("seed of the store", secret);
    if (kdf !== null) throw wrongKind("it was made with a passphrase");
    return new Uint8Array(secret);
  }
  const password = passphraseBytes(secret.passphrase);
  try {
    if (kdf === null) throw wrongKind("it was made with a seed");
    const { N, r, p, salt } = kdf;
    return await crypto.scrypt(password, salt, { N, r, p, length: 32 });
  } finally {
    wipe(password);
  }
}
