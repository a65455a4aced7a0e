/**
 * Making and reading seeds (SPEC 5).
 *
 * @module
 */

import { SttError } from "../errors.ts";
import type { CryptoProvider } from "./provider.ts";
import { wipe } from "./secret.ts";
import { base64UrlBytes, hexBytes, looksHex } from "./seed_text.ts";

/** Fewest bytes of a seed (SPEC 5). */
export const SEED_MIN_BYTES = 32;

const PASSPHRASE_MIN_CHARACTERS = 12;
const NETWORK_NAME_MIN_CHARACTERS = 8;

const UTF8: TextEncoder = new TextEncoder();

/** Throws SEED when `seed` is shorter than 32 bytes; `what` names it in the message. */
export function checkSeed(what: string, seed: Uint8Array): void {
  if (seed.length < SEED_MIN_BYTES) {
    throw new SttError(
      "SEED",
      `cannot use ${what}: ${seed.length} bytes is below the minimum of ${SEED_MIN_BYTES}`,
      { limit: SEED_MIN_BYTES },
    );
  }
}

/**
 * A fresh random seed of 32 bytes.
 *
 * @example
 * ```ts
 * import { generateSeed, nodeProvider } from "@seigr/stt/crypto";
 * console.log(generateSeed(nodeProvider()).length); // 32
 * ```
 */
export function generateSeed(provider: CryptoProvider): Uint8Array {
  return provider.randomBytes(SEED_MIN_BYTES);
}

/**
 * A seed from hexadecimal text.
 *
 * @param text At least 64 digits of either case, nothing else.
 * @throws {SttError} SEED, without repeating the text.
 *
 * @example
 * ```ts
 * import { seedFromHex } from "@seigr/stt/crypto";
 * console.log(seedFromHex("0f".repeat(32)).length); // 32
 * ```
 */
export function seedFromHex(text: string): Uint8Array {
  return checkParsed(hexBytes(text), "not hexadecimal with an even number of digits");
}

/**
 * A seed from base64url text.
 *
 * @param text At least 43 characters, without padding.
 * @throws {SttError} SEED, without repeating the text.
 *
 * @example
 * ```ts
 * import { seedFromBase64Url } from "@seigr/stt/crypto";
 * console.log(seedFromBase64Url("A".repeat(43)).length); // 32
 * ```
 */
export function seedFromBase64Url(text: string): Uint8Array {
  return checkParsed(base64UrlBytes(text), "not base64url without padding");
}

/**
 * A seed from text: hexadecimal when all characters are hexadecimal digits, base64url otherwise.
 *
 * @param text One seed of at least 32 bytes, nothing around it.
 * @throws {SttError} SEED, without repeating the text.
 *
 * @example
 * ```ts
 * import { parseSeed } from "@seigr/stt/crypto";
 * console.log(parseSeed("0f".repeat(32))[0]); // 15
 * ```
 */
export function parseSeed(text: string): Uint8Array {
  return looksHex(text)
    ? seedFromHex(text)
    : checkParsed(base64UrlBytes(text), "neither hexadecimal nor base64url");
}

/**
 * SPEC 5: a seed of 32 bytes from a passphrase, by scrypt with N = 2^17, r = 8, p = 1 (about half a second, 128 MiB).
 *
 * One recorded HELLO lets an observer guess passphrases offline: prefer {@link generateSeed}.
 *
 * @param passphrase At least 12 characters; normalised to NFC, so that all keyboards spell it alike.
 * @param networkName At least 8 characters, normalised too; the same passphrase gives another seed for another name.
 * @throws {SttError} SEED when either is too short or holds half a surrogate pair.
 *
 * @example
 * ```ts
 * import { nodeProvider, seedFromPassphrase } from "@seigr/stt/crypto";
 * const provider = nodeProvider();
 * const seed = await seedFromPassphrase("correct horse battery", "home network", { provider });
 * console.log(seed.length); // 32
 * ```
 */
export async function seedFromPassphrase(
  passphrase: string,
  networkName: string,
  options: { readonly provider: CryptoProvider },
): Promise<Uint8Array> {
  const { provider } = options;
  const password = passphraseBytes(passphrase);
  const name = normalised("network name", networkName, NETWORK_NAME_MIN_CHARACTERS);
  const salt = provider.sha256(UTF8.encode("stt1 passphrase"), new Uint8Array(1), name);
  try {
    return await provider.scrypt(password, salt, { N: 2 ** 17, r: 8, p: 1, length: 32 });
  } finally {
    wipe(password);
  }
}

/**
 * The UTF-8 bytes of a passphrase as scrypt takes them: normalised to NFC.
 *
 * @throws {SttError} SEED below 12 characters or with half a surrogate pair.
 */
export function passphraseBytes(passphrase: string): Uint8Array {
  return normalised("passphrase", passphrase, PASSPHRASE_MIN_CHARACTERS);
}

function checkParsed(seed: Uint8Array | undefined, fault: string): Uint8Array {
  if (seed === undefined) throw new SttError("SEED", `cannot read seed: the text is ${fault}`);
  checkSeed("seed", seed);
  return seed;
}

function normalised(what: string, text: string, minimum: number): Uint8Array {
  const normal = text.normalize("NFC");
  // UTF-8 would turn every half pair into the same replacement character.
  if (/\p{Surrogate}/u.test(normal)) {
    throw new SttError("SEED", `cannot use ${what}: it holds half a surrogate pair`);
  }
  const characters = [...normal].length;
  if (characters < minimum) {
    throw new SttError(
      "SEED",
      `cannot use ${what}: ${characters} characters is below the minimum of ${minimum}`,
      { limit: minimum },
    );
  }
  return UTF8.encode(normal);
}
