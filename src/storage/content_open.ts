/**
 * Making and opening content stores.
 *
 * @module
 */
import { wipe } from "../crypto/secret.ts";
import { CONTENT_HEADER_KEY, ContentCipher } from "../sealed/content_cipher.ts";
import type { StorageProvider } from "./provider.ts";
import { newStoreKey, openStoreKey, type StoreOwner } from "./store_key.ts";
import type { StoreSecret } from "./store_secret.ts";

/** @throws {SttError} STORAGE_KEY, STORAGE_CORRUPT, SEED. */
export async function openContentCipher(
  provider: StorageProvider,
  owner: StoreOwner,
  secret: StoreSecret,
): Promise<ContentCipher> {
  const header = await provider.get(CONTENT_HEADER_KEY);
  const key = header === undefined
    ? await createKey(provider, owner, secret)
    : await openStoreKey(owner, secret, header);
  const cipher = new ContentCipher(owner.crypto, key.master, key.id, owner.node);
  wipe(key.master);
  return cipher;
}

async function createKey(provider: StorageProvider, owner: StoreOwner, secret: StoreSecret) {
  const key = await newStoreKey(owner, secret);
  await provider.put(CONTENT_HEADER_KEY, key.header);
  return key;
}
