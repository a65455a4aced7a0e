/**
 * What model tests share: how many runs they make, and a look at every nonce.
 *
 * @module
 */
import assert from "node:assert/strict";
import process from "node:process";
import { toHex } from "../codec/hex.ts";
import type { CryptoProvider } from "../crypto/provider.ts";

/** `runs`, times STT_MODEL_RUNS where that is set: the suite makes few, a long run many. */
export function modelRuns(runs: number): number {
  const factor = Number(process.env.STT_MODEL_RUNS ?? "1");
  return Number.isFinite(factor) && factor >= 1 ? Math.floor(runs * factor) : runs;
}

/**
 * The provider, failing where a nonce is used twice under one key: with the same content it would tell that, with another
 * one it would break the cipher.
 */
export function withoutNonceReuse(provider: CryptoProvider): CryptoProvider {
  const used = new Set<string>();
  return {
    name: provider.name,
    randomBytes: (length) => provider.randomBytes(length),
    sha256: (...parts) => provider.sha256(...parts),
    hmacSha256: (key, ...parts) => provider.hmacSha256(key, ...parts),
    x25519: (privateKey) => provider.x25519(privateKey),
    equal: (a, b) => provider.equal(a, b),
    scrypt: (password, salt, parameters) => provider.scrypt(password, salt, parameters),
    ...(provider.hkdfSha256 === undefined
      ? {}
      : { hkdfSha256: provider.hkdfSha256.bind(provider) }),
    aead: (name, key) => {
      const id = toHex(key);
      const inner = provider.aead(name, key);
      return {
        sealInPlace: (nonce, aad, buffer, start, end) => {
          const use = `${id} ${toHex(nonce)}`;
          assert.ok(!used.has(use), "a nonce is used twice under one key");
          used.add(use);
          inner.sealInPlace(nonce, aad, buffer, start, end);
        },
        open: (nonce, aad, sealed) => inner.open(nonce, aad, sealed),
        destroy: () => inner.destroy(),
      };
    },
  };
}
