/**
 * What the protocol needs of a cryptography library, all of it synchronous. The pure layers take a provider as an
 * argument; they never reach for one.
 *
 * @module
 */

/** An AEAD of the two suites. */
export type AeadName = "chacha20-poly1305" | "aes-256-gcm";

/** One AEAD key, ready for use. Create once per epoch: making one costs more than sealing a small frame. */
export interface AeadKey {
  /**
   * Seals `buffer[start, end)` in place and writes the 16-byte tag at `buffer[end, end + 16)`.
   * `nonce` is 12 bytes; `aad` may be a view of the same buffer.
   */
  sealInPlace(
    nonce: Uint8Array,
    aad: Uint8Array,
    buffer: Uint8Array,
    start: number,
    end: number,
  ): void;
  /**
   * Opens `sealed` (ciphertext then the 16-byte tag). Returns new memory that the caller owns, or undefined when the
   * tag does not verify or `sealed` is shorter than a tag. Never throws on input from the network.
   */
  open(nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined;
  /** Drops the key; sealing and opening throw afterwards. */
  destroy(): void;
}

/** An X25519 private key held by the provider, in whatever form is fastest there. */
export interface X25519PrivateKey {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Shared secret of 32 bytes, or undefined when it is all zero (RFC 7748, section 6.1) or the public key is not 32 bytes. */
  agree(publicKey: Uint8Array): Uint8Array | undefined;
  /** Drops the key; byte arrays are overwritten. */
  destroy(): void;
}

/** Parameters of scrypt (RFC 7914). */
export interface ScryptParameters {
  /** Cost, a power of two. Memory is 128 * N * r bytes. */
  readonly N: number;
  /** Block size. */
  readonly r: number;
  /** Parallelism. */
  readonly p: number;
  /** Bytes to derive. */
  readonly length: number;
}

/** Primitives behind the protocol. Two implementations ship: `node:crypto` and `@noble/*`. */
export interface CryptoProvider {
  /** Short name for statistics: "node" or "noble". */
  readonly name: string;
  /** `length` random bytes, 0 to 65536. */
  randomBytes(length: number): Uint8Array;
  /** SHA-256 over the concatenation of `parts`: 32 bytes. */
  sha256(...parts: Uint8Array[]): Uint8Array;
  /** HMAC-SHA256 over the concatenation of `parts`: 32 bytes. */
  hmacSha256(key: Uint8Array, ...parts: Uint8Array[]): Uint8Array;
  /**
   * HKDF with SHA-256, both steps (RFC 5869), where the library does them faster than `hmacSha256` would. `length` is 0 to
   * 8160 bytes.
   */
  hkdfSha256?(salt: Uint8Array, ikm: Uint8Array, info: Uint8Array, length: number): Uint8Array;
  /** A fresh key pair, or the one of a 32-byte private key (copied, not kept). */
  x25519(privateKey?: Uint8Array): X25519PrivateKey;
  /** An AEAD over a 32-byte key (copied or imported, the array may be wiped afterwards). */
  aead(name: AeadName, key: Uint8Array): AeadKey;
  /** True when both have the same length and bytes; time depends on the length only. */
  equal(a: Uint8Array, b: Uint8Array): boolean;
  /** scrypt, off the event loop where the library can. */
  scrypt(password: Uint8Array, salt: Uint8Array, parameters: ScryptParameters): Promise<Uint8Array>;
}
