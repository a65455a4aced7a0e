/**
 * ChaCha20-Poly1305 by several libraries behind the one interface that sessions use.
 *
 * @module
 */
import { createRequire } from "node:module";
import { nobleProvider } from "../../../src/crypto/noble_provider.ts";
import { nodeProvider } from "../../../src/crypto/node_provider.ts";
import type { AeadKey } from "../../../src/crypto/provider.ts";
import { type Candidate, compare, type Timed } from "./timing.ts";

const NAME = "chacha20-poly1305";
const TAG_BYTES = 16;
const SIZES: readonly number[] = [64, 1200, 16_384, 65_536];
const AAD_BYTES = 36;

/** What is used of libsodium-wrappers. */
interface SodiumWasm {
  readonly ready: Promise<void>;
  crypto_aead_chacha20poly1305_ietf_encrypt(
    plain: Uint8Array,
    aad: Uint8Array,
    unused: null,
    nonce: Uint8Array,
    key: Uint8Array,
  ): Uint8Array;
  crypto_aead_chacha20poly1305_ietf_decrypt(
    unused: null,
    sealed: Uint8Array,
    aad: Uint8Array,
    nonce: Uint8Array,
    key: Uint8Array,
  ): Uint8Array;
}

/** What is used of sodium-native. */
interface SodiumNative {
  crypto_aead_chacha20poly1305_ietf_encrypt(
    sealed: Uint8Array,
    plain: Uint8Array,
    aad: Uint8Array,
    unused: null,
    nonce: Uint8Array,
    key: Uint8Array,
  ): number;
  crypto_aead_chacha20poly1305_ietf_decrypt(
    plain: Uint8Array,
    unused: null,
    sealed: Uint8Array,
    aad: Uint8Array,
    nonce: Uint8Array,
    key: Uint8Array,
  ): number;
}

/** WebAssembly: it returns arrays of its own, so that sealing in place costs a copy. */
function wasmKey(sodium: SodiumWasm, key: Uint8Array): AeadKey {
  return {
    sealInPlace(nonce, aad, buffer, start, end) {
      buffer.set(
        sodium.crypto_aead_chacha20poly1305_ietf_encrypt(
          buffer.subarray(start, end),
          aad,
          null,
          nonce,
          key,
        ),
        start,
      );
    },
    open: (nonce, aad, sealed) =>
      sodium.crypto_aead_chacha20poly1305_ietf_decrypt(null, sealed, aad, nonce, key),
    destroy: () => undefined,
  };
}

function nativeKey(native: SodiumNative, key: Uint8Array): AeadKey {
  return {
    sealInPlace(nonce, aad, buffer, start, end) {
      const sealed = buffer.subarray(start, end + TAG_BYTES);
      const plain = buffer.subarray(start, end);
      native.crypto_aead_chacha20poly1305_ietf_encrypt(sealed, plain, aad, null, nonce, key);
    },
    open(nonce, aad, sealed) {
      const plain = new Uint8Array(sealed.length - TAG_BYTES);
      native.crypto_aead_chacha20poly1305_ietf_decrypt(plain, null, sealed, aad, nonce, key);
      return plain;
    },
    destroy: () => undefined,
  };
}

function sodiumNative(): SodiumNative | undefined {
  try {
    return createRequire(import.meta.url)("sodium-native") as SodiumNative;
  } catch (error) {
    console.error(`sodium-native is left out: ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
}

async function sodiumWasm(): Promise<SodiumWasm> {
  const name = "libsodium-wrappers";
  const { default: sodium } = await import(name) as { default: SodiumWasm };
  await sodium.ready;
  return sodium;
}

async function keys(): Promise<Map<string, AeadKey>> {
  const key = new Uint8Array(32).fill(7);
  const found = new Map([
    ["node:crypto", nodeProvider().aead(NAME, key)],
    ["noble", nobleProvider().aead(NAME, key)],
    ["libsodium-wrappers", wasmKey(await sodiumWasm(), key)],
  ]);
  const native = sodiumNative();
  if (native !== undefined) found.set("sodium-native", nativeKey(native, key));
  return found;
}

/** All make the same bytes, or nothing is measured. Throws Error. */
function check(candidates: ReadonlyMap<string, AeadKey>, size: number): Uint8Array {
  let first: Uint8Array | undefined;
  for (const [name, key] of candidates) {
    const buffer = new Uint8Array(size + TAG_BYTES).fill(1, 0, size);
    const nonce = new Uint8Array(12);
    const aad = new Uint8Array(AAD_BYTES);
    key.sealInPlace(nonce, aad, buffer, 0, size);
    first ??= buffer;
    const opened = key.open(nonce, aad, buffer);
    const same = buffer.every((byte, i) => byte === first?.[i]);
    if (!same || opened?.every((byte) => byte === 1) !== true) {
      throw new Error(`${name} does not agree with the others about ${size} bytes`);
    }
  }
  return first as Uint8Array;
}

/** Sealing and opening. */
export async function aead(): Promise<Timed[]> {
  const all = await keys();
  const nonce = new Uint8Array(12);
  const aad = new Uint8Array(AAD_BYTES);
  return SIZES.flatMap((size) => {
    const sealed = check(all, size);
    const buffer = new Uint8Array(size + TAG_BYTES);
    const seal = [...all].map(([name, key]): Candidate => ({
      name,
      run: () => key.sealInPlace(nonce, aad, buffer, 0, size),
    }));
    const open = [...all].map(([name, key]): Candidate => ({
      name,
      run: () => void key.open(nonce, aad, sealed),
    }));
    return [...compare(`seal ${size} B`, seal), ...compare(`open ${size} B`, open)];
  });
}
