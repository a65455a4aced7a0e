/**
 * The provider over `node:crypto`, the same on Deno and Node and synchronous on both.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type JsonWebKey,
  type KeyObject,
  randomBytes,
  scrypt,
  timingSafeEqual,
} from "node:crypto";
import { versions } from "node:process";
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
import { YoungGarbage } from "./young_garbage.ts";

/** node's default bound of 32 MiB refuses the 128 MiB that N = 2^17, r = 8 takes (SPEC 5). */
const SCRYPT_MAX_MEMORY = 256 * 1024 * 1024;

/** DER in front of a raw X25519 private key (RFC 8410, section 7). */
const PKCS8_PREFIX: readonly number[] = [
  ...[0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06],
  ...[0x03, 0x2b, 0x65, 0x6e, 0x04, 0x22, 0x04, 0x20],
];

/** Node 20 takes twice as long for its HKDF as for the HMACs it stands for; Deno and Node 24 a third to a fifth. */
const HAS_FAST_HKDF = versions.deno !== undefined || Number.parseInt(versions.node) >= 24;

/** Deno's own HMAC makes objects and copies around the same two hashes, and takes 1.7 times as long. */
const HMAC_OF_HASHES = versions.deno !== undefined;
const HASH_BLOCK_BYTES = 64;

/** How many public keys of peers are kept in the form that OpenSSL wants: a handshake uses one of its two twice. */
const KEPT_PUBLIC_KEYS = 2;

const GARBAGE = new YoungGarbage(versions.deno === undefined);

/** Buffer.slice() is a view where Uint8Array.slice() is a copy, so no Buffer leaves this file. */
function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

class NodeAeadKey implements AeadKey {
  readonly #name: AeadName;
  /** Until the first use; a key that is never used costs no KeyObject. */
  #bytes: Uint8Array | undefined;
  // Node 24 takes 20 to 60 µs to look at raw bytes in each call, and next to nothing for a KeyObject.
  #object: KeyObject | undefined;
  #destroyed = false;

  constructor(name: AeadName, key: Uint8Array) {
    if (key.length !== KEY_BYTES) {
      throw new SttError("INTERNAL", `cannot use ${name} key: ${key.length} bytes is not 32`);
    }
    this.#name = name;
    this.#bytes = new Uint8Array(key);
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
    const key = this.#keyObject();
    const cipher = this.#name === "aes-256-gcm"
      ? createCipheriv(this.#name, key, nonce, { authTagLength: TAG_BYTES })
      : createCipheriv(this.#name, key, nonce, { authTagLength: TAG_BYTES });
    GARBAGE.bring(end - start);
    cipher.setAAD(aad, { plaintextLength: end - start });
    if (end > start) buffer.set(cipher.update(buffer.subarray(start, end)), start);
    cipher.final();
    buffer.set(cipher.getAuthTag(), end);
  }

  open(nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    this.#check(nonce);
    const length = sealed.length - TAG_BYTES;
    if (length < 0) return undefined;
    const key = this.#keyObject();
    const decipher = this.#name === "aes-256-gcm"
      ? createDecipheriv(this.#name, key, nonce, { authTagLength: TAG_BYTES })
      : createDecipheriv(this.#name, key, nonce, { authTagLength: TAG_BYTES });
    GARBAGE.bring(length);
    decipher.setAAD(aad, { plaintextLength: length });
    decipher.setAuthTag(sealed.subarray(length));
    const plaintext = length === 0
      ? new Uint8Array(0)
      : plain(decipher.update(sealed.subarray(0, length)));
    try {
      decipher.final();
    } catch {
      // Unverified plaintext must not outlive the failure.
      wipe(plaintext);
      return undefined;
    }
    return plaintext;
  }

  destroy(): void {
    wipe(this.#bytes);
    // It cannot be overwritten from here; its memory is cleared by OpenSSL once collected.
    this.#object = undefined;
    this.#destroyed = true;
  }

  #keyObject(): KeyObject {
    const bytes = this.#bytes;
    if (bytes !== undefined) {
      this.#object = createSecretKey(bytes);
      wipe(bytes);
      this.#bytes = undefined;
    }
    return this.#object as KeyObject;
  }

  #check(nonce: Uint8Array): void {
    if (this.#destroyed) throw new SttError("INTERNAL", `cannot use ${this.#name} key: destroyed`);
    if (nonce.length !== AEAD_NONCE_BYTES) {
      throw new SttError("INTERNAL", `cannot use nonce: ${nonce.length} bytes is not 12`);
    }
  }
}

class NodeX25519PrivateKey implements X25519PrivateKey {
  readonly publicKey: Uint8Array;
  #key: KeyObject | undefined;

  /** @param publicKey Its JWK: on Node the DER encoders and decoders of OpenSSL 3 take ten times as long. */
  constructor(privateKey: KeyObject, publicKey: JsonWebKey) {
    this.#key = privateKey;
    this.publicKey = plain(Buffer.from(publicKey.x as string, "base64url"));
  }

  agree(publicKey: Uint8Array): Uint8Array | undefined {
    if (this.#key === undefined) {
      throw new SttError("INTERNAL", "cannot agree on a secret: the private key was destroyed");
    }
    if (publicKey.length !== KEY_BYTES) return undefined;
    try {
      return plain(diffieHellman({ privateKey: this.#key, publicKey: importPublic(publicKey) }));
    } catch {
      // OpenSSL reports the all-zero secret of a low-order point as a failed derivation.
      return undefined;
    }
  }

  destroy(): void {
    // A KeyObject cannot be overwritten from here; its memory is cleared by OpenSSL once collected.
    this.#key = undefined;
  }
}

const PUBLIC_KEYS: { readonly x: string; readonly key: KeyObject }[] = [];

/** Public keys are no secret, and making an object of one takes a fifth of an agreement. */
function importPublic(bytes: Uint8Array): KeyObject {
  const x = Buffer.from(bytes.buffer, bytes.byteOffset, KEY_BYTES).toString("base64url");
  const kept = PUBLIC_KEYS.find((entry) => entry.x === x);
  if (kept !== undefined) return kept.key;
  const key = createPublicKey({ key: { kty: "OKP", crv: "X25519", x }, format: "jwk" });
  if (PUBLIC_KEYS.length >= KEPT_PUBLIC_KEYS) PUBLIC_KEYS.shift();
  PUBLIC_KEYS.push({ x, key });
  return key;
}

function importX25519(raw: Uint8Array): X25519PrivateKey {
  if (raw.length !== KEY_BYTES) {
    throw new SttError("INTERNAL", `cannot use X25519 private key: ${raw.length} bytes is not 32`);
  }
  // DER, not the faster JWK, whose base64 text could not be erased.
  const der = Buffer.alloc(PKCS8_PREFIX.length + KEY_BYTES);
  der.set(PKCS8_PREFIX);
  der.set(raw, PKCS8_PREFIX.length);
  try {
    const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
    return new NodeX25519PrivateKey(key, createPublicKey(key).export({ format: "jwk" }));
  } finally {
    wipe(der);
  }
}

/** Node has this overload; its types do not. */
const generateWithJwk = generateKeyPairSync as unknown as (
  type: "x25519",
  options: { readonly publicKeyEncoding: { readonly format: "jwk" } },
) => { readonly privateKey: KeyObject; readonly publicKey: JsonWebKey };

function generateX25519(): X25519PrivateKey {
  // Never `export()` of a key made here: on Node that holds the key's lock while it allocates, and a garbage collection
  // at that moment frees the job that made the key, which waits for the same lock: the process stands still for ever.
  const { privateKey, publicKey } = generateWithJwk("x25519", {
    publicKeyEncoding: { format: "jwk" },
  });
  return new NodeX25519PrivateKey(privateKey, publicKey);
}

function sha256(parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return plain(hash.digest());
}

/** RFC 2104: the key as one block, with one pattern over it for the inner hash and another one for the outer. */
function hmacOfHashes(key: Uint8Array, parts: readonly Uint8Array[]): Uint8Array {
  const block = new Uint8Array(HASH_BLOCK_BYTES).fill(0x36);
  const short = key.length > HASH_BLOCK_BYTES ? sha256([key]) : key;
  for (let at = 0; at < short.length; at++) block[at]! ^= short[at]!;
  const inner = sha256([block, ...parts]);
  for (let at = 0; at < HASH_BLOCK_BYTES; at++) block[at]! ^= 0x36 ^ 0x5c;
  const mac = sha256([block, inner]);
  wipe(block, inner);
  if (short !== key) wipe(short);
  return mac;
}

function hkdf(salt: Uint8Array, ikm: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  // Node 22.23, 24.21 and 26 refuse to derive no bytes.
  if (length === 0) return new Uint8Array(0);
  // Raw bytes cost 15 to 40 µs more; an empty key cannot be made an object of everywhere.
  const key = ikm.length === 0 ? ikm : createSecretKey(ikm);
  return new Uint8Array(hkdfSync("sha256", key, salt, info, length));
}

const PROVIDER: CryptoProvider = {
  name: "node",

  randomBytes(length: number): Uint8Array {
    if (!Number.isInteger(length) || length < 0 || length > 65_536) {
      throw new SttError("INTERNAL", `cannot make ${length} random bytes: not within 0 to 65536`);
    }
    return plain(randomBytes(length));
  },

  sha256(...parts: Uint8Array[]): Uint8Array {
    return sha256(parts);
  },

  hmacSha256(key: Uint8Array, ...parts: Uint8Array[]): Uint8Array {
    if (HMAC_OF_HASHES) return hmacOfHashes(key, parts);
    // Node 24 takes 20 µs and more for raw bytes.
    const hmac = createHmac("sha256", createSecretKey(key));
    for (const part of parts) hmac.update(part);
    return plain(hmac.digest());
  },

  ...(HAS_FAST_HKDF ? { hkdfSha256: hkdf } : {}),

  x25519(privateKey?: Uint8Array): X25519PrivateKey {
    return privateKey === undefined ? generateX25519() : importX25519(privateKey);
  },

  aead(name: AeadName, key: Uint8Array): AeadKey {
    return new NodeAeadKey(name, key);
  },

  equal(a: Uint8Array, b: Uint8Array): boolean {
    return a.length === b.length && timingSafeEqual(a, b);
  },

  scrypt(
    password: Uint8Array,
    salt: Uint8Array,
    parameters: ScryptParameters,
  ): Promise<Uint8Array> {
    const { N, r, p, length } = parameters;
    return new Promise((resolve, reject) => {
      scrypt(password, salt, length, { N, r, p, maxmem: SCRYPT_MAX_MEMORY }, (error, derived) => {
        if (error) reject(error);
        else resolve(plain(derived));
      });
    });
  },
};

/**
 * The provider over `node:crypto`, for Deno 2.9 and Node 20 upwards. It has no state: every call returns the same object.
 *
 * @example
 * ```ts
 * import { nodeProvider } from "@seigr/stt/crypto";
 * const provider = nodeProvider();
 * const alice = provider.x25519();
 * const bob = provider.x25519();
 * console.log(provider.equal(alice.agree(bob.publicKey)!, bob.agree(alice.publicKey)!)); // true
 * ```
 */
export function nodeProvider(): CryptoProvider {
  return PROVIDER;
}
