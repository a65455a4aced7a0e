/**
 * Seeds with the runtime's own cryptography.
 *
 * @module
 */
import { nodeProvider } from "../crypto/node_provider.ts";
import * as seeds from "../crypto/seeds.ts";

/**
 * A new shared seed or node seed: 32 random bytes.
 *
 * @example
 * ```ts
 * import { generateSeed } from "@seigr/stt";
 * console.log(generateSeed().length); // 32
 * ```
 */
export function generateSeed(): Uint8Array {
  return seeds.generateSeed(nodeProvider());
}

/**
 * A shared seed from words that people remember: scrypt with N = 2^17, about half a second (SPEC 5). One recorded HELLO
 * lets an observer guess passphrases offline; a generated seed has no such weakness.
 *
 * @param passphrase at least 12 characters.
 * @param networkName at least 8 characters; public, keeps equal passphrases of different networks apart.
 * @throws {SttError} `SEED` when one of them is too short.
 *
 * @example
 * ```ts
 * import { seedFromPassphrase } from "@seigr/stt";
 * const seed = await seedFromPassphrase("correct horse battery staple", "example-network");
 * console.log(seed.length); // 32
 * ```
 */
export function seedFromPassphrase(passphrase: string, networkName: string): Promise<Uint8Array> {
  return seeds.seedFromPassphrase(passphrase, networkName, { provider: nodeProvider() });
}
