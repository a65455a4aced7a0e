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
import { BLOB_ID_BYTES, type ContentCipher, type ContentEntry } from "../sealed/content_cipher.ts";
import { ContentBody } from "./content_body.ts";
import { type ContentSource, partsOf, readParts } from "./content_parts.ts";
import { Mutex } from "./mutex.ts";
import type { StorageProvider } from "./provider.ts";
import { nodeBytes } from "./store_key.ts";
import type { StoreSecret } from "./store_secret.ts";
import { openContentCipher } from "./content_open.ts";

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
  readonly #crypto: CryptoProvider;
  readonly #cipher: ContentCipher;
  readonly #body: ContentBody;
  readonly #maxBytes: number;
  readonly #now: () => number;
  readonly #mutex: Mutex = new Mutex();
  #closed = false;

  private constructor(
    provider: StorageProvider,
    crypto: CryptoProvider,
    cipher: ContentCipher,
    body: ContentBody,
    options: ContentStoreOptions,
  ) {
    this.#provider = provider;
    this.#crypto = crypto;
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
    const node = nodeBytes(options.nodeId);
    const cipher = await openContentCipher(
      provider,
      { crypto, kind: "content", node },
      options.secret,
    );
    try {
      const body = await ContentBody.load(provider, cipher);
      const store = new ContentStore(provider, crypto, cipher, body, options);
      await body.makeRoom(0, store.#maxBytes);
      return store;
    } catch (error) {
      cipher.destroy();
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
    const blob = this.#crypto.randomBytes(BLOB_ID_BYTES);
    let address = this.#cipher.emptyAddress();
    let size = 0;
    let parts = 0;
    try {
      for await (const { bytes, last } of partsOf(source)) {
        this.#check();
        size += bytes.length;
        this.#body.refuseLarger(size, this.#maxBytes);
        address = this.#cipher.extendAddress(address, bytes, last);
        await this.#body.putPart(blob, parts++, last, bytes);
        if (last) wipe(bytes);
      }
      const entry: ContentEntry = { address, blob, size, created: this.#now() };
      const added = await this.#run(() => this.#body.add(entry, this.#maxBytes));
      if (!added) await this.#body.removeParts(blob, parts);
      return toHex(address);
    } catch (error) {
      await this.#body.removeParts(blob, parts);
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
    const all = await this.list();
    for (const { address } of all) {
      const entry = await this.#run(() => this.#body.entries.get(address));
      if (entry === undefined || await this.#isWhole(entry)) continue;
      damaged.push(address);
      if (options.remove === true) await this.remove(address);
    }
    return { checked: all.length, damaged };
  }

  /** Writes the index and erases the keys, after the operations under way. The provider stays open. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#mutex.run(async () => {
      try {
        await this.#body.saveIndex();
      } finally {
        this.#cipher.destroy();
      }
    });
  }

  async #isWhole(entry: ContentEntry): Promise<boolean> {
    const done = this.#body.startReading(entry.blob);
    try {
      let address = this.#cipher.emptyAddress();
      for await (const { bytes, last } of readParts(this.#provider, this.#cipher, entry)) {
        address = this.#cipher.extendAddress(address, bytes, last);
        wipe(bytes);
      }
      return this.#crypto.equal(address, entry.address);
    } catch (error) {
      if (error instanceof SttError && error.code === "STORAGE_CORRUPT") return false;
      throw error;
    } finally {
      await done();
    }
  }

  #streamOf(entry: ContentEntry): ReadableStream<Uint8Array> {
    const parts = readParts(this.#provider, this.#cipher, entry);
    const done = this.#body.startReading(entry.blob);
    return new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        try {
          this.#check();
          const next = await parts.next();
          if (next.done !== true && next.value.bytes.length > 0) {
            controller.enqueue(next.value.bytes);
          }
          if (next.done !== true && !next.value.last) return;
        } catch (error) {
          await done();
          throw error;
        }
        await done();
        controller.close();
      },
      cancel: done,
    }, { highWaterMark: 0 });
  }

  #check(): void {
    if (this.#closed) throw new SttError("CLOSED", "cannot use content store: it is closed");
  }

  #run<T>(act: () => T | Promise<T>): Promise<T> {
    return this.#mutex.run(() => {
      this.#check();
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
