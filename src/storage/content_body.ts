/**
 * The entries of a content store in a provider (SPEC 14.5): parts first, then the manifest that makes them a content.
 *
 * @module
 */
import { toHex } from "../codec/hex.ts";
import { SttError } from "../errors.ts";
import {
  blobOfPartKey,
  CONTENT_INDEX_KEY,
  CONTENT_MANIFEST_PREFIX,
  CONTENT_PART_PREFIX,
  type ContentCipher,
  type ContentEntry,
  locatePart,
  partCount,
} from "../sealed/content_cipher.ts";
import type { StorageProvider } from "./provider.ts";

/** The state of an open content store. What changes entries must not overlap. */
export class ContentBody {
  readonly #provider: StorageProvider;
  readonly #cipher: ContentCipher;
  /** By address in hex, from the one that was not used for longest to the one used last. */
  readonly #entries: Map<string, ContentEntry> = new Map();
  /** Readers of each blob, by its id in hex. */
  readonly #readers: Map<string, number> = new Map();
  /** What to remove when its last reader is done. */
  readonly #doomed: Map<string, () => Promise<void>> = new Map();
  #bytes = 0;
  /** Something may be there that belongs to nothing: only a look at everything finds it. */
  #unswept = false;

  private constructor(provider: StorageProvider, cipher: ContentCipher) {
    this.#provider = provider;
    this.#cipher = cipher;
  }

  /** Takes the index of an orderly end, which is removed until the next one, or else looks at everything. */
  static async load(provider: StorageProvider, cipher: ContentCipher): Promise<ContentBody> {
    const body = new ContentBody(provider, cipher);
    const index = await provider.get(CONTENT_INDEX_KEY);
    if (index === undefined) {
      await body.#rebuild();
      return body;
    }
    for (const entry of cipher.openIndex(index)) body.#set(entry);
    await provider.delete(CONTENT_INDEX_KEY);
    return body;
  }

  /** Contents that were written by other means, the one used last at the end. */
  static of(
    provider: StorageProvider,
    cipher: ContentCipher,
    entries: Iterable<ContentEntry>,
  ): ContentBody {
    const body = new ContentBody(provider, cipher);
    for (const entry of entries) body.#set(entry);
    return body;
  }

  get entries(): ReadonlyMap<string, ContentEntry> {
    return this.#entries;
  }

  get bytes(): number {
    return this.#bytes;
  }

  async putPart(blob: Uint8Array, index: number, last: boolean, bytes: Uint8Array): Promise<void> {
    const sealed = this.#cipher.sealPart(blob, index, last, bytes);
    await this.#provider.put(locatePart(blob, index), sealed);
  }

  /** Never rejects: what stays belongs to nothing, and is removed after a crash. */
  async removeParts(blob: Uint8Array, count: number): Promise<void> {
    for (let index = 0; index < count; index++) {
      await this.#provider.delete(locatePart(blob, index)).catch(() => undefined);
    }
  }

  /** Makes parts a content; false when it is there already. */
  async add(entry: ContentEntry, maxBytes: number): Promise<boolean> {
    if (this.use(toHex(entry.address)) !== undefined) return false;
    await this.makeRoom(entry.size, maxBytes);
    const key = this.#cipher.locateManifest(entry.address);
    try {
      await this.#provider.put(key, this.#cipher.sealManifest(entry));
    } catch (error) {
      // It may be there all the same, and its parts are about to go.
      await this.#provider.delete(key).catch(() => undefined);
      throw error;
    }
    this.#set(entry);
    return true;
  }

  /** The entry of a content, which is now the one used last. */
  use(address: string): ContentEntry | undefined {
    const entry = this.#entries.get(address);
    if (entry === undefined) return undefined;
    this.#entries.delete(address);
    this.#entries.set(address, entry);
    return entry;
  }

  /** The manifest goes first: without it the parts are leftovers. */
  async remove(address: string): Promise<boolean> {
    const entry = this.#entries.get(address);
    if (entry === undefined) return false;
    await this.#provider.delete(this.#cipher.locateManifest(entry.address));
    this.#entries.delete(address);
    this.#bytes -= entry.size;
    const removeParts = () => this.removeParts(entry.blob, partCount(entry.size));
    const blob = toHex(entry.blob);
    if (this.#readers.has(blob)) this.#doomed.set(blob, removeParts);
    else await removeParts();
    return true;
  }

  /** Removes what was not used for longest, but for what is being read. @throws {SttError} STORAGE_FULL. */
  async makeRoom(size: number, maxBytes: number): Promise<void> {
    this.refuseLarger(size, maxBytes);
    for (const [address, { blob }] of [...this.#entries]) {
      if (this.#bytes + size <= maxBytes) return;
      if (!this.#readers.has(toHex(blob))) await this.remove(address);
    }
    if (this.#bytes + size > maxBytes) {
      throw full(`all of the ${this.#bytes} bytes that are there are being read`, maxBytes);
    }
  }

  /** @throws {SttError} STORAGE_FULL. */
  refuseLarger(size: number, maxBytes: number): void {
    if (size > maxBytes) throw full(`it is larger than ${maxBytes} bytes`, maxBytes);
  }

  /** Keeps the parts of a blob until what is returned has been called. */
  startReading(blob: Uint8Array): () => Promise<void> {
    const hex = toHex(blob);
    this.#readers.set(hex, (this.#readers.get(hex) ?? 0) + 1);
    let done = false;
    return async () => {
      if (done) return;
      done = true;
      const left = (this.#readers.get(hex) ?? 1) - 1;
      if (left > 0) {
        this.#readers.set(hex, left);
        return;
      }
      this.#readers.delete(hex);
      const remove = this.#doomed.get(hex);
      this.#doomed.delete(hex);
      await remove?.();
    };
  }

  /** Ends in order: the next `load` need not look at everything, and knows what was used when. */
  async saveIndex(): Promise<void> {
    // The index would be the end of it.
    if (this.isUnswept) return;
    await this.#provider.put(CONTENT_INDEX_KEY, this.#cipher.sealIndex(this.#entries.values()));
  }

  /** Parts are still there for a reader, or something could not be removed. */
  get isUnswept(): boolean {
    return this.#doomed.size > 0 || this.#unswept;
  }

  /** Has the next `load` look at everything. */
  leaveUnswept(): void {
    this.#unswept = true;
  }

  async #rebuild(): Promise<void> {
    const blobs = new Set<string>();
    const found: ContentEntry[] = [];
    for await (const { key } of this.#provider.list(new Uint8Array([CONTENT_MANIFEST_PREFIX]))) {
      const bytes = await this.#provider.get(key);
      if (bytes === undefined) continue;
      const entry = this.#readManifest(key, bytes);
      if (entry === undefined) {
        // Nothing can be read by way of a manifest that does not verify.
        await this.#provider.delete(key);
        continue;
      }
      found.push(entry);
      blobs.add(toHex(entry.blob));
    }
    // When each was last used is not known any more; when it came is.
    for (const entry of found.sort((a, b) => a.created - b.created)) this.#set(entry);
    for await (const { key } of this.#provider.list(new Uint8Array([CONTENT_PART_PREFIX]))) {
      if (!blobs.has(blobOfPartKey(key))) await this.#provider.delete(key);
    }
  }

  #readManifest(key: Uint8Array, bytes: Uint8Array): ContentEntry | undefined {
    try {
      return this.#cipher.openManifest(key, bytes);
    } catch (error) {
      if (error instanceof SttError && error.code === "STORAGE_CORRUPT") return undefined;
      throw error;
    }
  }

  #set(entry: ContentEntry): void {
    this.#entries.set(toHex(entry.address), entry);
    this.#bytes += entry.size;
  }
}

function full(reason: string, limit: number): SttError {
  return new SttError("STORAGE_FULL", `cannot store content: ${reason}`, { limit });
}
