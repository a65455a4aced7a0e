/**
 * Sealed boxes: bytes that only the holder of a key reads, and that verify only for what they were made for
 * (SPEC 14.2).
 *
 * @module
 */
import { AEAD_NONCE_BYTES, KEY_BYTES, TAG_BYTES } from "../constants.ts";
import { encodeValue } from "../codec/values.ts";
import type { SttValue } from "../codec/values.ts";
import { hkdfExpand } from "../crypto/hkdf.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { wipe } from "../crypto/secret.ts";

/** Random bytes in front of every box. */
export const BOX_SALT_BYTES = 32;

/** Bytes of a box besides its plaintext: salt and tag. */
export const BOX_OVERHEAD: number = BOX_SALT_BYTES + TAG_BYTES;

const LABEL: Uint8Array = new TextEncoder().encode("stt1 box");

/** What a box is made for: a dict that is encoded as its associated data. */
export type BoxContext = Readonly<Record<string, SttValue>>;

/**
 * SPEC 14.2: salt, ciphertext, tag.
 *
 * @param salt 32 fresh random bytes. The key of the box follows from them, so its one nonce is used once.
 */
export function sealBox(
  provider: CryptoProvider,
  key: Uint8Array,
  salt: Uint8Array,
  context: BoxContext,
  plaintext: Uint8Array,
): Uint8Array {
  const box = new Uint8Array(BOX_SALT_BYTES + plaintext.length + TAG_BYTES);
  box.set(salt);
  box.set(plaintext, BOX_SALT_BYTES);
  withBoxKey(provider, key, salt, (aead) => {
    const end = BOX_SALT_BYTES + plaintext.length;
    aead.sealInPlace(NONCE, encodeValue(context), box, BOX_SALT_BYTES, end);
  });
  return box;
}

/** The plaintext in new memory, or undefined when the box is not one of this key and context. */
export function openBox(
  provider: CryptoProvider,
  key: Uint8Array,
  context: BoxContext,
  box: Uint8Array,
): Uint8Array | undefined {
  if (box.length < BOX_OVERHEAD) return undefined;
  const salt = box.subarray(0, BOX_SALT_BYTES);
  return withBoxKey(
    provider,
    key,
    salt,
    (aead) => aead.open(NONCE, encodeValue(context), box.subarray(BOX_SALT_BYTES)),
  );
}

const NONCE: Uint8Array = new Uint8Array(AEAD_NONCE_BYTES);

function withBoxKey<T>(
  provider: CryptoProvider,
  key: Uint8Array,
  salt: Uint8Array,
  act: (aead: ReturnType<CryptoProvider["aead"]>) => T,
): T {
  const info = new Uint8Array(LABEL.length + salt.length);
  info.set(LABEL);
  info.set(salt, LABEL.length);
  const bytes = hkdfExpand(provider, key, info, KEY_BYTES);
  const aead = provider.aead("chacha20-poly1305", bytes);
  wipe(bytes);
  try {
    return act(aead);
  } finally {
    aead.destroy();
  }
}
