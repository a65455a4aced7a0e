/**
 * Seeds with cryptography in JavaScript.
 *
 * @module
 */
import { nobleProvider } from "../crypto/noble_provider.ts";
import * as seeds from "../crypto/seeds.ts";

/**
 * A new shared seed or node seed: 32 random bytes of `crypto.getRandomValues`.
 *
 * @example
 * ```ts
 * import { generateSeed } from "@seigr/stt/browser";
 * console.log(generateSeed().length); // 32
 * ```
 */
export function generateSeed(): Uint8Array {
  return seeds.generateSeed(nobleProvider());
}

/**
 * A shared seed from words that people remember: scrypt with N = 2^17 (SPEC 5), here in JavaScript: a second or two and
 * 128 MiB, in slices that leave the page usable. One recorded HELLO lets an observer guess passphrases offline; a
 * generated seed has no such weakness.
 *
 * @param passphrase at least 12 characters.
 * @param networkName at least 8 characters; public, keeps equal passphrases of different networks apart.
 * @throws {SttError} `SEED` when one of them is too short.
 *
 * @example
 * ```ts
 * import { seedFromPassphrase } from "@seigr/stt/browser";
 * const seed = await seedFromPassphrase("correct horse battery staple", "example-network");
 * console.log(seed.length); // 32
 * ```
 */
export function seedFromPassphrase(passphrase: string, networkName: string): Promise<Uint8Array> {
  return seeds.seedFromPassphrase(passphrase, networkName, { provider: nobleProvider() });
}
