/**
 * CipherState of the Noise protocol framework (revision 34, section 5.1).
 *
 * @module
 */

import { AEAD_NONCE_BYTES, KEY_BYTES, TAG_BYTES } from "../constants.ts";
import { SttError } from "../errors.ts";
import type { AeadKey, AeadName, CryptoProvider } from "./provider.ts";
import { wipe } from "./secret.ts";

/**
 * A key with its own counter as the nonce. Without a key (before the first Diffie-Hellman) data pass through unchanged.
 */
export class CipherState {
  readonly #provider: CryptoProvider;
  readonly #aead: AeadName;
  #key: Uint8Array | undefined;
  // Most keys of a handshake are replaced before they are used, so the AEAD is made on first use.
  #cipher: AeadKey | undefined;
  #counter = 0;

  /** Takes `key` (32 bytes) over. */
  constructor(provider: CryptoProvider, aead: AeadName, key?: Uint8Array) {
    if (key !== undefined && key.length !== KEY_BYTES) {
      throw new SttError("INTERNAL", `cannot use cipher key: ${key.length} bytes is not 32`);
    }
    this.#provider = provider;
    this.#aead = aead;
    this.#key = key;
  }

  /** True once there is a key, so that data are encrypted. */
  get hasKey(): boolean {
    return this.#key !== undefined;
  }

  /** Replaces the key by one of 32 bytes, which it takes over, and starts counting from 0. */
  initializeKey(key: Uint8Array): void {
    this.destroy();
    this.#key = key;
  }

  /** Ciphertext followed by its 16-byte tag, or the plaintext itself (copied) without a key. */
  encrypt(ad: Uint8Array, plaintext: Uint8Array): Uint8Array {
    if (this.#key === undefined) return plaintext.slice();
    const sealed = new Uint8Array(plaintext.length + TAG_BYTES);
    sealed.set(plaintext);
    this.#use(this.#key).sealInPlace(this.#nonce(), ad, sealed, 0, plaintext.length);
    this.#counter++;
    return sealed;
  }

  /** The plaintext in new memory, or undefined when it does not verify; the counter then stays where it was. */
  decrypt(ad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    if (this.#key === undefined) return sealed.slice();
    const plaintext = this.#use(this.#key).open(this.#nonce(), ad, sealed);
    if (plaintext !== undefined) this.#counter++;
    return plaintext;
  }

  /** An independent copy. */
  clone(): CipherState {
    const copy = new CipherState(this.#provider, this.#aead, this.#key?.slice());
    copy.#counter = this.#counter;
    return copy;
  }

  /** Erases the key. */
  destroy(): void {
    wipe(this.#key);
    this.#cipher?.destroy();
    this.#key = undefined;
    this.#cipher = undefined;
    this.#counter = 0;
  }

  #use(key: Uint8Array): AeadKey {
    this.#cipher ??= this.#provider.aead(this.#aead, key);
    return this.#cipher;
  }

  // Noise 12.3, 12.4: 32 zero bits, then the counter, little-endian for ChaChaPoly and big-endian for AESGCM.
  #nonce(): Uint8Array {
    if (this.#counter >= Number.MAX_SAFE_INTEGER) {
      throw new SttError("INTERNAL", "cannot use cipher key: its nonces are used up");
    }
    const nonce = new Uint8Array(AEAD_NONCE_BYTES);
    const littleEndian = this.#aead === "chacha20-poly1305";
    const view = new DataView(nonce.buffer);
    const low = this.#counter % 0x1_0000_0000;
    const high = Math.floor(this.#counter / 0x1_0000_0000);
    view.setUint32(littleEndian ? 4 : 8, low, littleEndian);
    view.setUint32(littleEndian ? 8 : 4, high, littleEndian);
    return nonce;
  }
}
