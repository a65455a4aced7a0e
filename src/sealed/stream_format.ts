/**
 * Header and chunk layout of sealed streams (SPEC 14.6).
 *
 * @module
 */
import { writeU32, writeU64 } from "../codec/u64.ts";
import { AEAD_NONCE_BYTES, KEY_BYTES, TAG_BYTES } from "../constants.ts";
import { hkdf } from "../crypto/hkdf.ts";
import type { AeadKey, CryptoProvider } from "../crypto/provider.ts";
import { wipe } from "../crypto/secret.ts";
import { SttError } from "../errors.ts";
import { KDF_SALT_BYTES, type ScryptCost, scryptCost } from "./scrypt_cost.ts";

/** "STT-SEAL". */
const MAGIC: Uint8Array = new TextEncoder().encode("STT-SEAL");
const VERSION = 1;
const FLAG_PASSPHRASE = 0x01;
const FLAG_LIVE = 0x02;
const MAC_BYTES = 32;
const SALT_OFFSET = 11;
/** Magic, version, flags, chunk size, salt. */
const FIXED_BYTES: number = SALT_OFFSET + KDF_SALT_BYTES;
const COST_BYTES = 3;

/** Longest header. */
export const SEALED_HEADER_MAX_BYTES: number = FIXED_BYTES + COST_BYTES + MAC_BYTES;

/** Chunk sizes are powers of two from 2^10 to 2^20 bytes. */
export const CHUNK_BITS_MIN = 10;
export const CHUNK_BITS_MAX = 20;
export const DEFAULT_CHUNK_BITS = 16;

/** In front of every chunk of a live stream. */
export const LIVE_PREFIX_BYTES = 4;

/** What a header says. */
export interface SealedStreamFacts {
  /** Chunks say their length, so that what is written can be read at once. */
  readonly live: boolean;
  /** Binary logarithm of the largest chunk. */
  readonly chunkBits: number;
  /** 32 random bytes: the key of the stream follows from them, and scrypt's salt is the same. */
  readonly salt: Uint8Array;
  /** Null when the secret is a seed. */
  readonly cost: ScryptCost | null;
}

/** A header as it was read. */
export interface SealedStreamHeader extends SealedStreamFacts {
  /** All of it but the MAC. */
  readonly bytes: Uint8Array;
  readonly mac: Uint8Array;
}

/** Bytes of a header, known from its first ten. */
export function sealedHeaderSize(flags: number): number {
  return FIXED_BYTES + ((flags & FLAG_PASSPHRASE) === 0 ? 0 : COST_BYTES) + MAC_BYTES;
}

/** A header without its MAC. */
export function encodeSealedHeader(facts: SealedStreamFacts): Uint8Array {
  const { live, chunkBits, salt, cost } = facts;
  const bytes = new Uint8Array(FIXED_BYTES + (cost === null ? 0 : COST_BYTES));
  bytes.set(MAGIC);
  bytes[8] = VERSION;
  bytes[9] = (cost === null ? 0 : FLAG_PASSPHRASE) | (live ? FLAG_LIVE : 0);
  bytes[10] = chunkBits;
  bytes.set(salt, SALT_OFFSET);
  if (cost !== null) bytes.set([Math.log2(cost.N), cost.r, cost.p], FIXED_BYTES);
  return bytes;
}

/**
 * Reads a header from the beginning of a stream. Undefined when more bytes are needed.
 *
 * @throws {SttError} SEALED_FORMAT; UNSUPPORTED for another version.
 */
export function parseSealedHeader(input: Uint8Array): SealedStreamHeader | undefined {
  for (let i = 0; i < Math.min(MAGIC.length, input.length); i++) {
    if (input[i] !== MAGIC[i]) throw malformed("it does not begin with STT-SEAL");
  }
  const [version, flags, chunkBits] = input.subarray(MAGIC.length);
  if (version !== undefined && version !== VERSION) {
    throw new SttError("UNSUPPORTED", `cannot open sealed stream: version ${version} is not 1`);
  }
  if (flags === undefined) return undefined;
  if (flags > (FLAG_PASSPHRASE | FLAG_LIVE)) throw malformed(`its flags ${flags} are unknown`);
  if (chunkBits === undefined) return undefined;
  if (chunkBits < CHUNK_BITS_MIN || chunkBits > CHUNK_BITS_MAX) {
    throw malformed(`its chunks of 2^${chunkBits} bytes are not within 2^10 to 2^20`);
  }
  const size = sealedHeaderSize(flags);
  if (input.length < size) return undefined;
  const bytes = input.slice(0, size - MAC_BYTES);
  let cost: ScryptCost | null = null;
  if ((flags & FLAG_PASSPHRASE) !== 0) {
    const [bits, r, p] = bytes.subarray(FIXED_BYTES) as unknown as [number, number, number];
    const found = scryptCost({ N: 2 ** bits, r, p });
    if (found === undefined) throw malformed("its cost of scrypt is out of range");
    cost = found;
  }
  return {
    live: (flags & FLAG_LIVE) !== 0,
    chunkBits,
    salt: bytes.slice(SALT_OFFSET, FIXED_BYTES),
    cost,
    bytes,
    mac: input.slice(size - MAC_BYTES, size),
  };
}

function malformed(reason: string): SttError {
  return new SttError("SEALED_FORMAT", `cannot open sealed stream: ${reason}`);
}

/** The keys of one stream: of its chunks, and the MAC of its header. */
export class SealedStreamKeys {
  readonly mac: Uint8Array;
  readonly #aead: AeadKey;
  readonly #nonce: Uint8Array = new Uint8Array(AEAD_NONCE_BYTES);
  readonly #prefix: Uint8Array = new Uint8Array(LIVE_PREFIX_BYTES);

  /**
   * @param secret The seed, or what scrypt made of the passphrase.
   * @param header The header without its MAC.
   * @param context Whatever the reader must know too; not written down.
   */
  constructor(
    provider: CryptoProvider,
    secret: Uint8Array,
    header: Uint8Array,
    context: Uint8Array,
  ) {
    // Whatever was changed in the header or is another context makes other keys.
    const key = hkdf(provider, secret, info("stt1 sealed stream", provider, header, context), 64);
    this.mac = provider.hmacSha256(key.subarray(KEY_BYTES), header);
    this.#aead = provider.aead("chacha20-poly1305", key.subarray(0, KEY_BYTES));
    wipe(key);
  }

  /** Seals a chunk in place; its tag comes behind `end`. */
  seal(
    index: number,
    last: boolean,
    live: boolean,
    buffer: Uint8Array,
    start: number,
    end: number,
  ): void {
    const data = this.#associatedData(live, end - start, last);
    this.#aead.sealInPlace(this.#chunkNonce(index, last), data, buffer, start, end);
  }

  /** The plaintext of a chunk in new memory, or undefined when it is not this one. */
  open(index: number, last: boolean, live: boolean, sealed: Uint8Array): Uint8Array | undefined {
    const data = this.#associatedData(live, sealed.length - TAG_BYTES, last);
    return this.#aead.open(this.#chunkNonce(index, last), data, sealed);
  }

  destroy(): void {
    this.#aead.destroy();
    wipe(this.mac);
  }

  /** The STREAM construction: the place of the chunk and whether it is the last one. */
  #chunkNonce(index: number, last: boolean): Uint8Array {
    writeU64(this.#nonce, 3, index);
    this.#nonce[11] = last ? 1 : 0;
    return this.#nonce;
  }

  #associatedData(live: boolean, length: number, last: boolean): Uint8Array {
    if (!live || length < 0) return EMPTY;
    writeLivePrefix(this.#prefix, 0, length, last);
    return this.#prefix;
  }
}

const EMPTY: Uint8Array = new Uint8Array(0);
const LIVE_LAST = 0x8000_0000;

/** Length of a live chunk, and in its highest bit whether it is the last one. */
export function writeLivePrefix(
  target: Uint8Array,
  offset: number,
  length: number,
  last: boolean,
): void {
  writeU32(target, offset, last ? length + LIVE_LAST : length);
}

/** The two parts of a live prefix. */
export function splitLivePrefix(
  prefix: number,
): { readonly length: number; readonly last: boolean } {
  return prefix >= LIVE_LAST
    ? { length: prefix - LIVE_LAST, last: true }
    : { length: prefix, last: false };
}

function info(
  label: string,
  provider: CryptoProvider,
  header: Uint8Array,
  context: Uint8Array,
): Uint8Array {
  const text = new TextEncoder().encode(label);
  const bytes = new Uint8Array(text.length + 64);
  bytes.set(text);
  bytes.set(provider.sha256(header), text.length);
  bytes.set(provider.sha256(context), text.length + 32);
  return bytes;
}
