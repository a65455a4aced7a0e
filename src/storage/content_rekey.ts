/**
 * A content store under new keys (SPEC 14.5.7): everything is written beside what is there, and a header makes it the
 * store. Addresses are hashes under a key of the store, so they change.
 *
 * @module
 */
import { toHex } from "../codec/hex.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { wipe } from "../crypto/secret.ts";
import {
  BLOB_ID_BYTES,
  type ContentCipher,
  type ContentEntry,
  locatePart,
  partCount,
} from "../sealed/content_cipher.ts";
import { readParts } from "./content_parts.ts";
import type { StorageProvider } from "./provider.ts";

/** Contents in a provider under one cipher. */
export class ContentCopies {
  /** In the order in which they were given. */
  readonly entries: ContentEntry[] = [];
  /** The new address of each old one, both in hex. */
  readonly addresses: Map<string, string> = new Map();
  readonly #provider: StorageProvider;
  readonly #crypto: CryptoProvider;
  readonly #to: ContentCipher;

  /** None yet. */
  constructor(provider: StorageProvider, crypto: CryptoProvider, to: ContentCipher) {
    this.#provider = provider;
    this.#crypto = crypto;
    this.#to = to;
  }

  /** Seals all contents anew, one part in memory at a time. @throws {SttError} STORAGE_CORRUPT for what is damaged. */
  async write(from: ContentCipher, entries: Iterable<ContentEntry>): Promise<void> {
    for (const entry of entries) await this.#copy(from, entry);
  }

  async #copy(from: ContentCipher, old: ContentEntry): Promise<void> {
    const blob = this.#crypto.randomBytes(BLOB_ID_BYTES);
    const copy = { ...old, blob, address: this.#to.emptyAddress() };
    // From here on there is something to remove.
    this.entries.push(copy);
    let index = 0;
    for await (const { bytes, last } of readParts(this.#provider, from, old)) {
      copy.address = this.#to.extendAddress(copy.address, bytes, last);
      const sealed = this.#to.sealPart(blob, index, last, bytes);
      wipe(bytes);
      await this.#provider.put(locatePart(blob, index++), sealed);
    }
    await this.#provider.put(this.#to.locateManifest(copy.address), this.#to.sealManifest(copy));
    this.addresses.set(toHex(old.address), toHex(copy.address));
  }

  /** Removes all of it; false when something may be left. */
  async remove(): Promise<boolean> {
    return await removeContents(this.#provider, this.#to, this.entries);
  }
}

/** Manifests first, then parts; false when something may be left, which the next look at everything finds. */
export async function removeContents(
  provider: StorageProvider,
  cipher: ContentCipher,
  entries: Iterable<ContentEntry>,
): Promise<boolean> {
  let all = true;
  const remove = async (key: Uint8Array): Promise<void> => {
    await provider.delete(key).catch(() => {
      all = false;
    });
  };
  for (const { address, blob, size } of entries) {
    await remove(cipher.locateManifest(address));
    for (let index = 0; index < partCount(size); index++) await remove(locatePart(blob, index));
  }
  return all;
}
