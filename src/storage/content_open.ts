/**
 * Making and opening content stores.
 *
 * @module
 */
import { wipe } from "../crypto/secret.ts";
import { CONTENT_HEADER_KEY, ContentCipher } from "../sealed/content_cipher.ts";
import type { StorageProvider } from "./provider.ts";
import { newStoreKey, openStoreKey, type StoreKey, type StoreOwner } from "./store_key.ts";
import type { StoreSecret } from "./store_secret.ts";

/** The keys of a content store, and its id. */
export interface OpenedContent {
  readonly id: Uint8Array;
  readonly cipher: ContentCipher;
}

/** @throws {SttError} STORAGE_KEY, STORAGE_CORRUPT, SEED. */
export async function openContentCipher(
  provider: StorageProvider,
  owner: StoreOwner,
  secret: StoreSecret,
): Promise<OpenedContent> {
  const header = await provider.get(CONTENT_HEADER_KEY);
  const key = header === undefined
    ? await createKey(provider, owner, secret)
    : await openStoreKey(owner, secret, header);
  return { id: key.id, cipher: cipherOf(owner, key) };
}

/** Fresh keys of a store that exists, and the header that makes them count. */
export async function newContentCipher(
  owner: StoreOwner,
  secret: StoreSecret,
  id: Uint8Array,
): Promise<OpenedContent & { readonly header: Uint8Array }> {
  const key = await newStoreKey(owner, secret, id);
  return { id, cipher: cipherOf(owner, key), header: key.header };
}

function cipherOf(owner: StoreOwner, { master, id }: StoreKey): ContentCipher {
  const cipher = new ContentCipher(owner.crypto, master, id, owner.node);
  wipe(master);
  return cipher;
}

async function createKey(provider: StorageProvider, owner: StoreOwner, secret: StoreSecret) {
  const key = await newStoreKey(owner, secret);
  await provider.put(CONTENT_HEADER_KEY, key.header);
  return key;
}
