import { KEY_BYTES } from "../constants.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import type { Prng } from "./prng.ts";

/**
 * A provider whose random bytes and fresh keys come from a seed, so that a whole run, handshake included, repeats byte
 * for byte. For tests only: its keys are no secret.
 *
 * @example
 * ```ts
 * import { nodeProvider } from "@seigr/stt/crypto";
 * import { Prng, seededProvider } from "@seigr/stt/testing";
 * const one = seededProvider(nodeProvider(), new Prng(1));
 * const two = seededProvider(nodeProvider(), new Prng(1));
 * console.log(one.equal(one.x25519().publicKey, two.x25519().publicKey)); // true
 * ```
 */
export function seededProvider(provider: CryptoProvider, prng: Prng): CryptoProvider {
  return {
    name: provider.name,
    randomBytes: (length) => prng.bytes(length),
    sha256: (...parts) => provider.sha256(...parts),
    hmacSha256: (key, ...parts) => provider.hmacSha256(key, ...parts),
    ...(provider.hkdfSha256 === undefined ? {} : {
      hkdfSha256: (salt, ikm, info, length) =>
        (provider.hkdfSha256 as NonNullable<CryptoProvider["hkdfSha256"]>)(salt, ikm, info, length),
    }),
    x25519: (privateKey) => provider.x25519(privateKey ?? prng.bytes(KEY_BYTES)),
    aead: (name, key) => provider.aead(name, key),
    equal: (a, b) => provider.equal(a, b),
    scrypt: (password, salt, parameters) => provider.scrypt(password, salt, parameters),
  };
}
