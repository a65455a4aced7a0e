/**
 * HKDF with SHA-256 (RFC 5869) over a provider's HMAC.
 *
 * @module
 */

import { SttError } from "../errors.ts";
import type { CryptoProvider } from "./provider.ts";
import { wipe } from "./secret.ts";

const HASH_BYTES = 32;

/** Most bytes that one expansion yields: 255 blocks of SHA-256 (RFC 5869, section 2.3). */
export const HKDF_MAX_BYTES: number = 255 * HASH_BYTES;

const UTF8: TextEncoder = new TextEncoder();

// SPEC 5: one salt for every extraction of the protocol.
const SALT: Uint8Array = UTF8.encode("STT/1");

/** HKDF-Extract (RFC 5869, section 2.2): a pseudorandom key of 32 bytes. An empty salt means 32 zero bytes. */
export function hkdfExtract(
  provider: CryptoProvider,
  salt: Uint8Array,
  ikm: Uint8Array,
): Uint8Array {
  return provider.hmacSha256(salt, ikm);
}

function checkLength(length: number): void {
  if (Number.isInteger(length) && length >= 0 && length <= HKDF_MAX_BYTES) return;
  throw new SttError(
    "INTERNAL",
    `cannot expand key: ${length} bytes is not within 0 to ${HKDF_MAX_BYTES}`,
    { limit: HKDF_MAX_BYTES },
  );
}

/**
 * HKDF-Expand (RFC 5869, section 2.3).
 *
 * @param prk A uniformly random key, 32 bytes.
 * @param info Context; text is encoded as UTF-8.
 * @param length Bytes wanted, 0 to 8160.
 * @throws {SttError} INTERNAL when `length` is out of range.
 *
 * @example
 * ```ts
 * import { hkdfExpand, nodeProvider } from "@seigr/stt/crypto";
 * const key = hkdfExpand(nodeProvider(), new Uint8Array(32), "a key", 32);
 * console.log(key.length); // 32
 * ```
 */
export function hkdfExpand(
  provider: CryptoProvider,
  prk: Uint8Array,
  info: Uint8Array | string,
  length: number,
): Uint8Array {
  checkLength(length);
  const context = typeof info === "string" ? UTF8.encode(info) : info;
  const output = new Uint8Array(length);
  const counter = new Uint8Array(1);
  let block: Uint8Array = new Uint8Array(0);
  for (let offset = 0; offset < length; offset += HASH_BYTES) {
    counter[0] = offset / HASH_BYTES + 1;
    const next = provider.hmacSha256(prk, block, context, counter);
    wipe(block);
    block = next;
    output.set(offset + HASH_BYTES > length ? block.subarray(0, length - offset) : block, offset);
  }
  wipe(block);
  return output;
}

/**
 * SPEC 5: `HKDF(ikm, info, length)`, extract and expand with the protocol's salt "STT/1".
 *
 * @throws {SttError} INTERNAL when `length` is not within 0 to 8160.
 *
 * @example
 * ```ts
 * import { hkdf, nodeProvider } from "@seigr/stt/crypto";
 * const psk = hkdf(nodeProvider(), new Uint8Array(32), "stt1 psk", 32);
 * console.log(psk.length); // 32
 * ```
 */
export function hkdf(
  provider: CryptoProvider,
  ikm: Uint8Array,
  info: Uint8Array | string,
  length: number,
): Uint8Array {
  return hkdfSalted(provider, SALT, ikm, info, length);
}

/**
 * HKDF with any salt: extract and expand in one step where the provider can.
 *
 * @throws {SttError} INTERNAL when `length` is not within 0 to 8160.
 */
export function hkdfSalted(
  provider: CryptoProvider,
  salt: Uint8Array,
  ikm: Uint8Array,
  info: Uint8Array | string,
  length: number,
): Uint8Array {
  if (provider.hkdfSha256 !== undefined) {
    checkLength(length);
    const context = typeof info === "string" ? UTF8.encode(info) : info;
    return provider.hkdfSha256(salt, ikm, context, length);
  }
  const prk = hkdfExtract(provider, salt, ikm);
  try {
    return hkdfExpand(provider, prk, info, length);
  } finally {
    wipe(prk);
  }
}
