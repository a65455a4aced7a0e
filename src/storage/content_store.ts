/**
 * A content-addressed store: contents of any length under a keyed hash of their own (SPEC 14.5).
 *
 * @module
 */
import { fromHex, toHex } from "../codec/hex.ts";
import { nodeProvider } from "../crypto/node_provider.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { wipe } from "../crypto/secret.ts";
import { SttError } from "../errors.ts";
import {
  BLOB_ID_BYTES,
  CONTENT_HEADER_KEY,
  type ContentCipher,
  type ContentEntry,
} from "../sealed/content_cipher.ts";
import { ContentBody } from "./content_body.ts";
import { newContentCipher, openContentCipher, type OpenedContent } from "./content_open.ts";
import { type ContentSource, partsOf, readParts } from "./content_parts.ts";
import { ContentCopies, removeContents } from "./content_rekey.ts";
import { Mutex } from "./mutex.ts";
import type { StorageProvider } from "./provider.ts";
import { nodeBytes, type StoreOwner } from "./store_key.ts";
import type { StoreSecret } from "./store_secret.ts";

/** How to open a content store. */
export interface ContentStoreOptions {
  /** The seed or passphrase that the store is, or is to be, made with. */
  readonly secret: StoreSecret;
  /** The node that it belongs to: 32 bytes. */
  readonly nodeId?: Uint8Array;
  /**
   * Most bytes of content: those not used for longest go when more come. No limit by default. What is being put is
   * counted when it is whole, so for a while the provider holds that much more.
   */
  readonly maxBytes?: number;
  /** Cryptography, and the randomness of salts and keys; by default that of `node:crypto`. */
  readonly crypto?: CryptoProvider;
  /** Clock of the dates: Unix milliseconds. */
  readonly now?: () => number;
}

/** What is known of a content without reading it. */
export interface ContentInfo {
  /** 64 hexadecimal digits. */
  readonly address: string;
  /** Bytes. */
  readonly size: number;
  /** When it was put. */
  readonly created: Date;
}

/** What {@link ContentStore.verify} found. */
export interface ContentVerification {
  /** Contents that were read. */
  readonly checked: number;
  /** Addresses of those that are not whole. */
  readonly damaged: readonly string[];
}

/** Options of {@link ContentStore.rekey}. */
export interface ContentRekeyOptions {
  /**
   * Gets the new address of each old one before the new secret counts, and is awaited: keep them, or a crash in the moment
   * behind it leaves contents of which nobody knows the addresses. What it throws leaves the store as it is.
   */
  readonly onAddresses?: (addresses: ReadonlyMap<string, string>) => void | Promise<void>;
}

/**
 * Contents, encrypted, each once. A content's address is a hash of it under a key of the store: who sees the provider,
 * or an address, cannot find out whether a given content is there.
 *
 * @example
 * ```ts
 * import { generateSeed } from "@seigr/stt";
 * import { ContentStore, MemoryStore } from "@seigr/stt/storage";
 *
 * const store = await ContentStore.open(new MemoryStore(), { secret: generateSeed() });
 * const address = await store.put(new TextEncoder().encode("some content"));
 * console.log(await store.put(new Blob(["some content"]).stream()) === address); // true
 * const content = await store.get(address);
 * console.log(await new Response(content).text()); // some content
 * await store.close();
 * ```
 */
export class ContentStore {
  readonly #provider: StorageProvider;
  readonly #owner: StoreOwner;
  readonly #crypto: CryptoProvider;
  readonly #id: Uint8Array;
  #cipher: ContentCipher;
  /** Another one once the store has new keys. */
  #body: ContentBody;
  readonly #maxBytes: number;
  readonly #now: () => number;
  readonly #mutex: Mutex = new Mutex();
  #closed = false;
  /** Why it is not known which keys count on the disk. */
  #doubt: unknown;

  private constructor(
    provider: StorageProvider,
    owner: StoreOwner,
    { id, cipher }: OpenedContent,
    body: ContentBody,
    options: ContentStoreOptions,
  ) {
    this.#provider = provider;
    this.#owner = owner;
    this.#crypto = owner.crypto;
    this.#id = id;
    this.#cipher = cipher;
    this.#body = body;
    this.#maxBytes = options.maxBytes ?? Infinity;
    this.#now = options.now ?? Date.now;
  }

  /**
   * Opens the content store in a provider, or makes one. A provider holds at most one, beside a chamber. After a crash
   * the index is made anew from what is there, and parts that belong to nothing are removed.
   *
   * @throws {SttError} STORAGE_KEY for another seed, passphrase or node; STORAGE_CORRUPT; SEED; CONFIG; and what the
   * provider throws.
   */
  static async open(
    provider: StorageProvider,
    options: ContentStoreOptions,
  ): Promise<ContentStore> {
    const { maxBytes } = options;
    if (maxBytes !== undefined && !(Number.isSafeInteger(maxBytes) && maxBytes > 0)) {
      throw new SttError(
        "CONFIG",
        `cannot use maxBytes ${maxBytes}: it is no positive whole number`,
      );
    }
    const crypto = options.crypto ?? nodeProvider();
    const owner: StoreOwner = { crypto, kind: "content", node: nodeBytes(options.nodeId) };
    const opened = await openContentCipher(provider, owner, options.secret);
    try {
      const body = await ContentBody.load(provider, opened.cipher);
      const store = new ContentStore(provider, owner, opened, body, options);
      await body.makeRoom(0, store.#maxBytes);
      return store;
    } catch (error) {
      opened.cipher.destroy();
      throw error;
    }
  }

  /** Bytes of all contents. */
  get bytes(): number {
    return this.#body.bytes;
  }

  /** Number of contents. */
  get size(): number {
    return this.#body.entries.size;
  }

  /**
   * Stores a content and says its address. One that is there already is kept as it is, and counts as used.
   *
   * @throws {SttError} STORAGE_FULL when it is larger than `maxBytes`; and what the source throws.
   */
  async put(source: ContentSource): Promise<string> {
    this.#check();
    const [body, cipher] = [this.#body, this.#cipher];
    const blob = this.#crypto.randomBytes(BLOB_ID_BYTES);
    let address = cipher.emptyAddress();
    let size = 0;
    let parts = 0;
    try {
      for await (const { bytes, last } of partsOf(source)) {
        this.#check(body);
        size += bytes.length;
        body.refuseLarger(size, this.#maxBytes);
        address = cipher.extendAddress(address, bytes, last);
        await body.putPart(blob, parts++, last, bytes);
        if (last) wipe(bytes);
      }
      const entry: ContentEntry = { address, blob, size, created: this.#now() };
      const added = await this.#run(() => body.add(entry, this.#maxBytes), body);
      if (!added) await body.removeParts(blob, parts);
      return toHex(address);
    } catch (error) {
      await body.removeParts(blob, parts);
      throw error;
    }
  }

  /**
   * The content, or undefined when there is none. Each piece is verified before it comes out; the stream fails with
   * STORAGE_CORRUPT otherwise. What is being read is neither evicted nor, until it has been read, removed.
   */
  get(address: string): Promise<ReadableStream<Uint8Array> | undefined> {
    return this.#run(() => {
      const entry = this.#body.use(hexOf(address));
      return entry === undefined ? undefined : this.#streamOf(entry);
    });
  }

  /** True when there is such a content. It does not count as used. */
  has(address: string): Promise<boolean> {
    return this.#run(() => this.#body.entries.has(hexOf(address)));
  }

  /** Size and date of a content, or undefined. It does not count as used. */
  info(address: string): Promise<ContentInfo | undefined> {
    return this.#run(() => {
      const entry = this.#body.entries.get(hexOf(address));
      return entry === undefined ? undefined : infoOf(entry);
    });
  }

  /** All contents, from the one that was not used for longest to the one used last. */
  list(): Promise<ContentInfo[]> {
    return this.#run(() => [...this.#body.entries.values()].map(infoOf));
  }

  /** Removes a content; false when there is none. */
  remove(address: string): Promise<boolean> {
    return this.#run(() => this.#body.remove(hexOf(address)));
  }

  /**
   * Reads every content and compares it with its address.
   *
   * @param options.remove True: what is damaged is removed, so that it can be put again.
   */
  async verify(options: { readonly remove?: boolean } = {}): Promise<ContentVerification> {
    const damaged: string[] = [];
    const body = this.#body;
    const all = await this.list();
    for (const { address } of all) {
      const entry = await this.#run(() => body.entries.get(address), body);
      if (entry === undefined || await this.#isWhole(entry, body)) continue;
      damaged.push(address);
      if (options.remove === true) await this.remove(address);
    }
    return { checked: all.length, damaged };
  }

  /**
   * Encrypts everything anew, under fresh keys and for another seed or passphrase. The old one opens nothing any more that
   * was not copied before. Addresses are hashes under a key of the store: each content gets another one. A crash leaves
   * the store as it was or as it is to be. For a while the provider holds everything twice, beyond `maxBytes`; what is
   * being put, read or verified meanwhile fails with CLOSED.
   *
   * @returns the new address of each old one.
   * @throws {SttError} STORAGE_CORRUPT for a damaged content, which `verify` can remove; SEED; and what the provider and
   * `onAddresses` throw. Only where the last step failed it is not known which secret counts, and the store must be opened
   * again: until then everything is CLOSED.
   */
  rekey(
    secret: StoreSecret,
    options: ContentRekeyOptions = {},
  ): Promise<ReadonlyMap<string, string>> {
    return this.#run(async () => {
      const old = { body: this.#body, cipher: this.#cipher };
      const { cipher, header } = await newContentCipher(this.#owner, secret, this.#id);
      const copies = new ContentCopies(this.#provider, this.#crypto, cipher);
      try {
        await copies.write(old.cipher, old.body.entries.values());
        await options.onAddresses?.(copies.addresses);
        this.#check();
      } catch (error) {
        if (!await copies.remove()) old.body.leaveUnswept();
        cipher.destroy();
        throw error;
      }
      try {
        await this.#provider.put(CONTENT_HEADER_KEY, header);
      } catch (error) {
        // It may be there all the same: both must stay until that is seen.
        this.#doubt = error;
        cipher.destroy();
        throw error;
      }
      this.#cipher = cipher;
      this.#body = ContentBody.of(this.#provider, cipher, copies.entries);
      const swept = await removeContents(this.#provider, old.cipher, old.body.entries.values());
      if (!swept || old.body.isUnswept) this.#body.leaveUnswept();
      old.cipher.destroy();
      return copies.addresses;
    });
  }

  /** Writes the index and erases the keys, after the operations under way. The provider stays open. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#mutex.run(async () => {
      try {
        if (this.#doubt === undefined) await this.#body.saveIndex();
      } finally {
        this.#cipher.destroy();
      }
    });
  }

  async #isWhole(entry: ContentEntry, body: ContentBody): Promise<boolean> {
    const cipher = this.#cipher;
    const done = body.startReading(entry.blob);
    try {
      let address = cipher.emptyAddress();
      for await (const { bytes, last } of readParts(this.#provider, cipher, entry)) {
        this.#check(body);
        address = cipher.extendAddress(address, bytes, last);
        wipe(bytes);
      }
      return this.#crypto.equal(address, entry.address);
    } catch (error) {
      this.#check(body);
      if (error instanceof SttError && error.code === "STORAGE_CORRUPT") return false;
      throw error;
    } finally {
      await done();
    }
  }

  #streamOf(entry: ContentEntry): ReadableStream<Uint8Array> {
    const parts = readParts(this.#provider, this.#cipher, entry);
    const body = this.#body;
    const done = body.startReading(entry.blob);
    return new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        try {
          this.#check(body);
          const next = await parts.next();
          if (next.done !== true && next.value.bytes.length > 0) {
            controller.enqueue(next.value.bytes);
          }
          if (next.done !== true && !next.value.last) return;
        } catch (error) {
          await done();
          // Without its keys a part fails in ways that say nothing.
          this.#check(body);
          throw error;
        }
        await done();
        controller.close();
      },
      cancel: done,
    }, { highWaterMark: 0 });
  }

  /** @param body Of the keys that the caller has begun with. */
  #check(body: ContentBody = this.#body): void {
    if (this.#closed) throw new SttError("CLOSED", "cannot use content store: it is closed");
    if (this.#doubt !== undefined) {
      throw new SttError(
        "CLOSED",
        "cannot use content store: its new keys were written half way; open it again",
        { cause: this.#doubt },
      );
    }
    if (body !== this.#body) {
      throw new SttError("CLOSED", "cannot go on with content: the store has got new keys");
    }
  }

  #run<T>(act: () => T | Promise<T>, body?: ContentBody): Promise<T> {
    return this.#mutex.run(() => {
      this.#check(body);
      return act();
    });
  }
}

function infoOf({ address, size, created }: ContentEntry): ContentInfo {
  return { address: toHex(address), size, created: new Date(created) };
}

/** @throws {SttError} HEX, CONFIG. */
function hexOf(address: string): string {
  const bytes = fromHex(address);
  if (bytes.length === 32) return toHex(bytes);
  throw new SttError("CONFIG", `cannot use address: ${bytes.length} bytes is not 32`);
}
