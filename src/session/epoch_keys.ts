import { AEAD_NONCE_BYTES, SUITE_AES_256_GCM, SUITE_CHACHA20_POLY1305 } from "../constants.ts";
import { epochKeys } from "../crypto/key_schedule.ts";
import type { AeadKey, AeadName, CryptoProvider } from "../crypto/provider.ts";
import { wipe } from "../crypto/secret.ts";
import { SttError } from "../errors.ts";

/**
 * The AEAD of a suite.
 *
 * @throws {SttError} UNSUPPORTED for suites that protect frames in another way.
 */
export function aeadOfSuite(suite: number): AeadName {
  if (suite === SUITE_CHACHA20_POLY1305) return "chacha20-poly1305";
  if (suite === SUITE_AES_256_GCM) return "aes-256-gcm";
  throw new SttError("UNSUPPORTED", `cannot protect frames: suite ${suite} has no AEAD`);
}

/**
 * Key and IV of one epoch of one direction, and the secret of the epoch after it until that is derived (SPEC 7).
 */
export class EpochKeys {
  /** 0 for the keys of the handshake. */
  readonly epoch: number;
  readonly #provider: CryptoProvider;
  readonly #name: AeadName;
  readonly #key: AeadKey;
  readonly #iv: Uint8Array;
  readonly #nonce: Uint8Array = new Uint8Array(AEAD_NONCE_BYTES);
  #next: Uint8Array | undefined;

  /** `secret` (32 bytes) is taken over and wiped. */
  constructor(provider: CryptoProvider, name: AeadName, secret: Uint8Array, epoch: number) {
    const { key, iv, next } = epochKeys(provider, secret);
    this.epoch = epoch;
    this.#provider = provider;
    this.#name = name;
    this.#key = provider.aead(name, key);
    this.#iv = iv;
    this.#next = next;
    wipe(key, secret);
  }

  /** The keys of the next epoch. Once only: the secret they came from is gone afterwards. */
  takeNext(): EpochKeys {
    const secret = this.#next;
    if (secret === undefined) {
      throw new SttError("INTERNAL", `cannot derive epoch ${this.epoch + 1}: its secret is gone`);
    }
    this.#next = undefined;
    return new EpochKeys(this.#provider, this.#name, secret, this.epoch + 1);
  }

  /** Encrypts `buffer[start, end)` in place and writes the tag behind it; `aad` is a view of the header. */
  seal(sequence: number, aad: Uint8Array, buffer: Uint8Array, start: number, end: number): void {
    this.#key.sealInPlace(this.#nonceOf(sequence), aad, buffer, start, end);
  }

  /** New memory with the plaintext, or undefined when the tag does not verify. */
  open(sequence: number, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    return this.#key.open(this.#nonceOf(sequence), aad, sealed);
  }

  /** Drops the key and the next secret. */
  destroy(): void {
    this.#key.destroy();
    wipe(this.#iv, this.#nonce);
    if (this.#next !== undefined) wipe(this.#next);
    this.#next = undefined;
  }

  // SPEC 7: nonce = iv XOR sequence, big-endian and left-padded to 12 bytes. One array is reused: nothing keeps it.
  #nonceOf(sequence: number): Uint8Array {
    const nonce = this.#nonce;
    nonce.set(this.#iv);
    let high = Math.floor(sequence / 4_294_967_296);
    let low = sequence >>> 0;
    for (let i = AEAD_NONCE_BYTES - 1; low !== 0 || high !== 0; i--) {
      nonce[i] = (nonce[i] ?? 0) ^ (low & 0xff);
      low = (low >>> 8 | high << 24) >>> 0;
      high >>>= 8;
    }
    return nonce;
  }
}
