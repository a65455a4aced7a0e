/**
 * The provider over `@noble/*` for runtimes without `node:crypto`, browsers first of all.
 *
 * It is slower than the node provider, and JavaScript arithmetic is not constant-time in the strict sense; where
 * `node:crypto` exists, prefer that.
 *
 * @module
 */

import { gcm } from "@noble/ciphers/aes.js";
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { x25519 } from "@noble/curves/ed25519.js";
import { hmac } from "@noble/hashes/hmac.js";
import { scryptAsync } from "@noble/hashes/scrypt.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { AEAD_NONCE_BYTES, KEY_BYTES, TAG_BYTES } from "../constants.ts";
import { SttError } from "../errors.ts";
import type {
  AeadKey,
  AeadName,
  CryptoProvider,
  ScryptParameters,
  X25519PrivateKey,
} from "./provider.ts";
import { wipe } from "./secret.ts";

class NobleAeadKey implements AeadKey {
  readonly #name: AeadName;
  readonly #key: Uint8Array;
  #destroyed = false;

  constructor(name: AeadName, key: Uint8Array) {
    if (key.length !== KEY_BYTES) {
      throw new SttError("INTERNAL", `cannot use ${name} key: ${key.length} bytes is not 32`);
    }
    this.#name = name;
    this.#key = new Uint8Array(key);
  }

  sealInPlace(
    nonce: Uint8Array,
    aad: Uint8Array,
    buffer: Uint8Array,
    start: number,
    end: number,
  ): void {
    this.#check(nonce);
    if (start > end || end + TAG_BYTES > buffer.length) {
      throw new SttError("INTERNAL", `cannot seal: no room for the tag at ${end}`);
    }
    const plaintext = buffer.subarray(start, end);
    if (this.#name === "aes-256-gcm") {
      buffer.set(gcm(this.#key, nonce, aad).encrypt(plaintext), start);
    } else {
      chacha20poly1305(this.#key, nonce, aad)
        .encrypt(plaintext, buffer.subarray(start, end + TAG_BYTES));
    }
  }

  open(nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    this.#check(nonce);
    if (sealed.length < TAG_BYTES) return undefined;
    const make = this.#name === "aes-256-gcm" ? gcm : chacha20poly1305;
    const cipher = make(this.#key, nonce, aad);
    try {
      return cipher.decrypt(sealed);
    } catch {
      // Lengths were checked above, so a wrong tag is the only failure left.
      return undefined;
    }
  }

  destroy(): void {
    wipe(this.#key);
    this.#destroyed = true;
  }

  #check(nonce: Uint8Array): void {
    if (this.#destroyed) throw new SttError("INTERNAL", `cannot use ${this.#name} key: destroyed`);
    if (nonce.length !== AEAD_NONCE_BYTES) {
      throw new SttError("INTERNAL", `cannot use nonce: ${nonce.length} bytes is not 12`);
    }
  }
}

class NobleX25519PrivateKey implements X25519PrivateKey {
  readonly publicKey: Uint8Array;
  #key: Uint8Array | undefined;

  /** Takes `key` over. */
  constructor(key: Uint8Array) {
    if (key.length !== KEY_BYTES) {
      throw new SttError(
        "INTERNAL",
        `cannot use X25519 private key: ${key.length} bytes is not 32`,
      );
    }
    this.#key = key;
    this.publicKey = x25519.getPublicKey(key);
  }

  agree(publicKey: Uint8Array): Uint8Array | undefined {
    if (this.#key === undefined) {
      throw new SttError("INTERNAL", "cannot agree on a secret: the private key was destroyed");
    }
    if (publicKey.length !== KEY_BYTES) return undefined;
    try {
      return x25519.getSharedSecret(this.#key, publicKey);
    } catch {
      // Lengths are right, so this is a low-order point.
      return undefined;
    }
  }

  destroy(): void {
    wipe(this.#key);
    this.#key = undefined;
  }
}

/** A SHA-256 over bytes as they come. */
export interface NobleSha256 {
  /** Adds bytes. */
  update(bytes: Uint8Array): void;
  /** A hash of the same bytes that goes on by itself. */
  copy(): NobleSha256;
  /** 32 bytes. Nothing can be added afterwards. */
  digest(): Uint8Array;
}

/** SHA-256 of what is too long to have at once. */
export function nobleSha256(): NobleSha256 {
  return wrapSha256(sha256.create());
}

function wrapSha256(hash: ReturnType<typeof sha256.create>): NobleSha256 {
  return {
    update: (bytes) => void hash.update(bytes),
    copy: () => wrapSha256(hash.clone()),
    digest: () => hash.digest(),
  };
}

/** Options of {@link nobleProvider}. */
export interface NobleProviderOptions {
  /** Source of randomness; by default `globalThis.crypto.getRandomValues`. */
  readonly randomBytes?: (length: number) => Uint8Array;
}

function systemRandomBytes(length: number): Uint8Array {
  return globalThis.crypto.getRandomValues(new Uint8Array(length));
}

/**
 * The provider over `@noble/ciphers`, `@noble/curves` and `@noble/hashes`.
 *
 * @example
 * ```ts
 * import { nobleProvider } from "@seigr/stt/noble";
 * const provider = nobleProvider();
 * const alice = provider.x25519();
 * const bob = provider.x25519();
 * console.log(provider.equal(alice.agree(bob.publicKey)!, bob.agree(alice.publicKey)!)); // true
 * ```
 */
export function nobleProvider(options: NobleProviderOptions = {}): CryptoProvider {
  const random = options.randomBytes ?? systemRandomBytes;
  return {
    name: "noble",

    randomBytes(length: number): Uint8Array {
      if (!Number.isInteger(length) || length < 0 || length > 65_536) {
        throw new SttError("INTERNAL", `cannot make ${length} random bytes: not within 0 to 65536`);
      }
      return random(length);
    },

    sha256(...parts: Uint8Array[]): Uint8Array {
      const hash = sha256.create();
      for (const part of parts) hash.update(part);
      return hash.digest();
    },

    hmacSha256(key: Uint8Array, ...parts: Uint8Array[]): Uint8Array {
      const mac = hmac.create(sha256, key);
      for (const part of parts) mac.update(part);
      return mac.digest();
    },

    x25519(privateKey?: Uint8Array): X25519PrivateKey {
      return new NobleX25519PrivateKey(
        privateKey === undefined ? random(KEY_BYTES) : new Uint8Array(privateKey),
      );
    },

    aead(name: AeadName, key: Uint8Array): AeadKey {
      return new NobleAeadKey(name, key);
    },

    equal(a: Uint8Array, b: Uint8Array): boolean {
      if (a.length !== b.length) return false;
      let difference = 0;
      for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
      return difference === 0;
    },

    scrypt(
      password: Uint8Array,
      salt: Uint8Array,
      parameters: ScryptParameters,
    ): Promise<Uint8Array> {
      const { N, r, p, length } = parameters;
      return scryptAsync(password, salt, { N, r, p, dkLen: length });
    },
  };
}
