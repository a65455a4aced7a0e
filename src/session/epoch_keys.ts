import {
  AEAD_NONCE_BYTES,
  KEY_BYTES,
  SUITE_AES_256_GCM,
  SUITE_CHACHA20_POLY1305,
} from "../constants.ts";
import { nextEpochSecret, protectionKeys } from "../crypto/key_schedule.ts";
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

/** Hears of the keys of every epoch that is derived; what it keeps it must copy. */
export type EpochKeyLog = (epoch: number, key: Uint8Array, iv: Uint8Array) => void;

/** The nonce of the frame at hand: providers read it before they return, and nothing else happens meanwhile. */
const NONCE: Uint8Array = new Uint8Array(AEAD_NONCE_BYTES);

/**
 * Key and IV of one epoch of one direction, and the secret of the epoch (SPEC 7). Most sessions never rotate, so what
 * follows from the secret is derived when the next epoch is asked for; the key it also gives is here anyway.
 */
export class EpochKeys {
  /** 0 for the keys of the handshake. */
  readonly epoch: number;
  readonly #provider: CryptoProvider;
  readonly #name: AeadName;
  readonly #key: AeadKey;
  /** The IV and behind it the secret: an array costs 200 bytes whatever its length. */
  readonly #kept: Uint8Array = new Uint8Array(AEAD_NONCE_BYTES + KEY_BYTES);
  readonly #log: EpochKeyLog | undefined;
  #taken = false;

  /** `secret` (32 bytes) is taken over and wiped. */
  constructor(
    provider: CryptoProvider,
    name: AeadName,
    secret: Uint8Array,
    epoch: number,
    log?: EpochKeyLog,
  ) {
    const { key, iv } = protectionKeys(provider, secret);
    log?.(epoch, key, iv);
    this.#log = log;
    this.epoch = epoch;
    this.#provider = provider;
    this.#name = name;
    this.#key = provider.aead(name, key);
    this.#kept.set(iv);
    this.#kept.set(secret, AEAD_NONCE_BYTES);
    wipe(key, iv, secret);
  }

  /** The keys of the next epoch. Once only: the secret they came from is gone afterwards. */
  takeNext(): EpochKeys {
    if (this.#taken) {
      throw new SttError("INTERNAL", `cannot derive epoch ${this.epoch + 1}: its secret is gone`);
    }
    this.#taken = true;
    const secret = this.#kept.subarray(AEAD_NONCE_BYTES);
    const next = nextEpochSecret(this.#provider, secret);
    wipe(secret);
    return new EpochKeys(this.#provider, this.#name, next, this.epoch + 1, this.#log);
  }

  /** Encrypts `buffer[start, end)` in place and writes the tag behind it; `aad` is a view of the header. */
  seal(sequence: number, aad: Uint8Array, buffer: Uint8Array, start: number, end: number): void {
    this.#key.sealInPlace(this.#nonceOf(sequence), aad, buffer, start, end);
  }

  /** New memory with the plaintext, or undefined when the tag does not verify. */
  open(sequence: number, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    return this.#key.open(this.#nonceOf(sequence), aad, sealed);
  }

  /** Drops the key and the secret. */
  destroy(): void {
    this.#key.destroy();
    wipe(this.#kept, NONCE);
    this.#taken = true;
  }

  // SPEC 7: nonce = iv XOR sequence, big-endian and left-padded to 12 bytes.
  #nonceOf(sequence: number): Uint8Array {
    const nonce = NONCE;
    const kept = this.#kept;
    for (let i = 0; i < AEAD_NONCE_BYTES; i++) nonce[i] = kept[i]!;
    let high = Math.floor(sequence / 4_294_967_296);
    let low = sequence >>> 0;
    for (let i = AEAD_NONCE_BYTES - 1; low !== 0 || high !== 0; i--) {
      nonce[i] = nonce[i]! ^ (low & 0xff);
      low = (low >>> 8 | high << 24) >>> 0;
      high >>>= 8;
    }
    return nonce;
  }
}
