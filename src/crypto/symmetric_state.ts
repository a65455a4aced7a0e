/**
 * SymmetricState of the Noise protocol framework (revision 34, section 5.2).
 *
 * @module
 */

import { SttError } from "../errors.ts";
import { CipherState } from "./cipher_state.ts";
import { hkdfSalted } from "./hkdf.ts";
import type { AeadName, CryptoProvider } from "./provider.ts";
import { wipe } from "./secret.ts";

const HASH_BYTES = 32;
const EMPTY: Uint8Array = new Uint8Array(0);

/** Noise 4.3, for any number of outputs: extraction with the chaining key as salt, expansion with empty info. */
function noiseHkdf(
  provider: CryptoProvider,
  chainingKey: Uint8Array,
  ikm: Uint8Array,
  outputs: number,
): Uint8Array[] {
  if (!Number.isInteger(outputs) || outputs < 1 || outputs > 255) {
    throw new SttError("INTERNAL", `cannot derive keys: ${outputs} outputs is not within 1 to 255`);
  }
  const joined = hkdfSalted(provider, chainingKey, ikm, EMPTY, outputs * HASH_BYTES);
  const keys: Uint8Array[] = [];
  for (let at = 0; at < joined.length; at += HASH_BYTES) {
    keys.push(joined.slice(at, at + HASH_BYTES));
  }
  wipe(joined);
  return keys;
}

/** Chaining key, handshake hash and the cipher of a handshake under way. */
export class SymmetricState {
  readonly #provider: CryptoProvider;
  readonly #cipher: CipherState;
  #chainingKey: Uint8Array;
  #hash: Uint8Array;

  private constructor(
    provider: CryptoProvider,
    cipher: CipherState,
    chainingKey: Uint8Array,
    hash: Uint8Array,
  ) {
    this.#provider = provider;
    this.#cipher = cipher;
    this.#chainingKey = chainingKey;
    this.#hash = hash;
  }

  /** InitializeSymmetric(protocolName). */
  static initialize(
    provider: CryptoProvider,
    aead: AeadName,
    protocolName: Uint8Array,
  ): SymmetricState {
    let hash: Uint8Array = new Uint8Array(HASH_BYTES);
    if (protocolName.length <= HASH_BYTES) hash.set(protocolName);
    else hash = provider.sha256(protocolName);
    return new SymmetricState(provider, new CipherState(provider, aead), hash.slice(), hash);
  }

  /** The handshake hash so far, not a copy; each mix replaces the array. */
  get hash(): Uint8Array {
    return this.#hash;
  }

  /** True once messages are encrypted. */
  get hasKey(): boolean {
    return this.#cipher.hasKey;
  }

  mixHash(data: Uint8Array): void {
    this.#hash = this.#provider.sha256(this.#hash, data);
  }

  mixKey(ikm: Uint8Array): void {
    const [chainingKey, key] = noiseHkdf(this.#provider, this.#chainingKey, ikm, 2);
    this.#chain(chainingKey!);
    this.#cipher.initializeKey(key!);
  }

  mixKeyAndHash(ikm: Uint8Array): void {
    const [chainingKey, data, key] = noiseHkdf(this.#provider, this.#chainingKey, ikm, 3);
    this.#chain(chainingKey!);
    this.mixHash(data!);
    wipe(data);
    this.#cipher.initializeKey(key!);
  }

  encryptAndHash(plaintext: Uint8Array): Uint8Array {
    const sealed = this.#cipher.encrypt(this.#hash, plaintext);
    this.mixHash(sealed);
    return sealed;
  }

  /** The plaintext, or undefined when it does not verify. */
  decryptAndHash(sealed: Uint8Array): Uint8Array | undefined {
    const plaintext = this.#cipher.decrypt(this.#hash, sealed);
    if (plaintext !== undefined) this.mixHash(sealed);
    return plaintext;
  }

  /** Split() with any number of outputs of 32 bytes. */
  split(outputs: number): Uint8Array[] {
    return noiseHkdf(this.#provider, this.#chainingKey, EMPTY, outputs);
  }

  /** An independent copy. */
  clone(): SymmetricState {
    return new SymmetricState(
      this.#provider,
      this.#cipher.clone(),
      this.#chainingKey.slice(),
      this.#hash,
    );
  }

  /** Erases the keys. The handshake hash is no secret and stays readable. */
  destroy(): void {
    wipe(this.#chainingKey);
    this.#cipher.destroy();
  }

  #chain(next: Uint8Array): void {
    wipe(this.#chainingKey);
    this.#chainingKey = next;
  }
}
