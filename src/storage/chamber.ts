/**
 * The chamber: secrets and state under names, encrypted at rest (SPEC 14.4).
 *
 * @module
 */
import { decodeValue, type SttValue } from "../codec/values.ts";
import { nodeProvider } from "../crypto/node_provider.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { wipe } from "../crypto/secret.ts";
import { SttError } from "../errors.ts";
import { CHAMBER_HEADER_KEY, ChamberCipher } from "../sealed/chamber_cipher.ts";
import { ChamberBody, type Swept, type WantedChange } from "./chamber_body.ts";
import { checkName, checkSize, encodeRecordValue } from "./chamber_checks.ts";
import { decodeExported, encodeExported, EXPORT_CONTEXT } from "./chamber_export.ts";
import { createChamber, loadChamber, refuseOlder } from "./chamber_open.ts";
import { Mutex } from "./mutex.ts";
import type { StorageProvider } from "./provider.ts";
import { openStream, sealStream } from "./seal_stream.ts";
import { newStoreKey, nodeBytes, type StoreOwner } from "./store_key.ts";
import type { StoreSecret } from "./store_secret.ts";

/** How to open a chamber. */
export interface ChamberOptions {
  /** The seed or passphrase that the chamber is, or is to be, made with. */
  readonly secret: StoreSecret;
  /** The node that it belongs to: 32 bytes. A chamber made with one opens with the same one only. */
  readonly nodeId?: Uint8Array;
  /** False: a provider without a chamber is an error, STORAGE_CORRUPT, instead of a new chamber. True by default. */
  readonly create?: boolean;
  /** A generation that the chamber is known to have reached: an older one is refused with STORAGE_ROLLBACK. */
  readonly minGeneration?: number;
  /** Cryptography, and the randomness of salts and keys. */
  readonly crypto?: CryptoProvider;
  /** Clock of the dates: Unix milliseconds. */
  readonly now?: () => number;
}

/** What is known of a record without reading it. */
export interface RecordInfo {
  /** 1 to 1024 bytes of UTF-8. */
  readonly name: string;
  /** Bytes of the encoded value. */
  readonly size: number;
  /** When the name came into being. */
  readonly created: Date;
  /** When the value was last written. */
  readonly modified: Date;
}

/** One of several changes that are to be made at once. */
export interface ChamberChange {
  /** 1 to 1024 bytes of UTF-8. */
  readonly name: string;
  /** The value, or undefined to remove the name. */
  readonly value: SttValue | undefined;
}

/**
 * Values under names, encrypted: the disk shows how many there are, their sizes and when they were written, and not
 * their names. Damage, swapped records and old copies of single records are found (STORAGE_CORRUPT). An old copy of the
 * *whole* chamber is a chamber of that time; who must notice keeps `generation` elsewhere and opens with
 * `minGeneration`.
 *
 * What `put` and `delete` have resolved for outlasts a crash; a crash before that leaves the old value or the new one.
 * Names are data: any string of 1 to 1024 bytes of UTF-8.
 *
 * @example
 * ```ts
 * import { generateSeed } from "@seigr/stt";
 * import { Chamber, MemoryStore } from "@seigr/stt/storage";
 *
 * const chamber = await Chamber.open(new MemoryStore(), { secret: generateSeed() });
 * await chamber.put("../notes", { text: "a name is data", count: 1 });
 * console.log(await chamber.get("../notes")); // Map(2) { "count" => 1, "text" => "a name is data" }
 * console.log((await chamber.list()).map(({ name }) => name)); // [ "../notes" ]
 * await chamber.close();
 * ```
 */
export class Chamber {
  readonly #provider: StorageProvider;
  readonly #owner: StoreOwner;
  readonly #now: () => number;
  readonly #mutex: Mutex = new Mutex();
  readonly #id: Uint8Array;
  #cipher: ChamberCipher;
  #body: ChamberBody;
  #closed = false;

  private constructor(
    provider: StorageProvider,
    owner: StoreOwner,
    now: () => number,
    id: Uint8Array,
    cipher: ChamberCipher,
    body: ChamberBody,
  ) {
    this.#provider = provider;
    this.#owner = owner;
    this.#now = now;
    this.#id = id;
    this.#cipher = cipher;
    this.#body = body;
  }

  /**
   * Opens the chamber in a provider, or makes one. A provider holds at most one chamber; what a crash left of it is
   * removed.
   *
   * @throws {SttError} STORAGE_KEY for another seed, passphrase or node; STORAGE_CORRUPT; STORAGE_ROLLBACK; SEED;
   * CONFIG; and what the provider throws.
   */
  static async open(provider: StorageProvider, options: ChamberOptions): Promise<Chamber> {
    const crypto = options.crypto ?? nodeProvider();
    const owner: StoreOwner = { crypto, kind: "chamber", node: nodeBytes(options.nodeId) };
    const header = await provider.get(CHAMBER_HEADER_KEY);
    if (header === undefined && options.create === false) {
      throw new SttError("STORAGE_CORRUPT", "cannot open chamber: there is none");
    }
    const { key, cipher, body } = header === undefined
      ? await createChamber(provider, owner, options.secret)
      : await loadChamber(provider, owner, options.secret, header);
    try {
      refuseOlder(body.generation, options.minGeneration);
      await body.sweep();
    } catch (error) {
      cipher.destroy();
      throw error;
    }
    return new Chamber(provider, owner, options.now ?? Date.now, key.id, cipher, body);
  }

  /** Counts the changes, and only rises: see `minGeneration`. */
  get generation(): number {
    return this.#body.generation;
  }

  /** Number of records. */
  get size(): number {
    return this.#body.entries.size;
  }

  /** The value, or undefined when there is none. @throws {SttError} STORAGE_CORRUPT. */
  get(name: string): Promise<SttValue | undefined> {
    return this.#run(() => this.#read(checkName(name)));
  }

  /** Writes or replaces a value: see SPEC 2.5 for what values can be. @throws {SttError} VALUE_TYPE, STORAGE_FULL. */
  put(name: string, value: SttValue): Promise<void> {
    return this.batch([{ name, value }]);
  }

  /** Removes a record; false when there is none. */
  delete(name: string): Promise<boolean> {
    return this.#run(async () => {
      if (!this.#body.entries.has(checkName(name))) return false;
      await this.#body.commit([{ name, value: undefined, modified: this.#now() }]);
      return true;
    });
  }

  /** Makes several changes in one step: all of them or, after a crash or an error, none. */
  async batch(changes: readonly ChamberChange[]): Promise<void> {
    this.#checkOpen();
    // At once: whoever gave a value may change or erase it while other operations come first.
    const encoded = changes.map(({ name, value }) => ({
      name: checkName(name),
      value: value === undefined ? undefined : encodeRecordValue(name, value),
    }));
    try {
      await this.#run(async () => {
        const modified = this.#now();
        const wanted = encoded.map((change): WantedChange => ({ ...change, modified }))
          .filter(({ name, value }) => value !== undefined || this.#body.entries.has(name));
        if (wanted.length > 0) await this.#body.commit(wanted);
      });
    } finally {
      wipe(...encoded.map(({ value }) => value));
    }
  }

  /**
   * Replaces a value by what `change` makes of it; nothing else happens to the chamber meanwhile.
   *
   * @param change Gets the value, or undefined; returns the new one, or undefined to remove the record.
   */
  update(
    name: string,
    change: (value: SttValue | undefined) => SttValue | undefined | Promise<SttValue | undefined>,
  ): Promise<void> {
    return this.#run(async () => {
      const value = await change(await this.#read(checkName(name)));
      if (value === undefined && !this.#body.entries.has(name)) return;
      const bytes = value === undefined ? undefined : encodeRecordValue(name, value);
      try {
        await this.#body.commit([{ name, value: bytes, modified: this.#now() }]);
      } finally {
        wipe(bytes);
      }
    });
  }

  /** True when there is a record of this name. */
  has(name: string): Promise<boolean> {
    return this.#run(() => this.#body.entries.has(checkName(name)));
  }

  /** Size and dates of a record, or undefined. */
  info(name: string): Promise<RecordInfo | undefined> {
    return this.#run(() => {
      const entry = this.#body.entries.get(checkName(name));
      return entry === undefined ? undefined : infoOf(name, entry);
    });
  }

  /** All records, in ascending order of their names. */
  list(): Promise<RecordInfo[]> {
    return this.#run(() =>
      [...this.#body.entries].map(([name, entry]) => infoOf(name, entry))
        .sort((a, b) => (a.name < b.name ? -1 : 1))
    );
  }

  /** Removes all records, in one step. */
  async clear(): Promise<void> {
    const names = (await this.list()).map(({ name }) => name);
    await this.batch(names.map((name) => ({ name, value: undefined })));
  }

  /** Reads every record. @throws {SttError} STORAGE_CORRUPT for the first that is not as it was written. */
  verify(): Promise<void> {
    return this.#run(async () => {
      for (const name of this.#body.entries.keys()) wipe(await this.#body.read(name));
    });
  }

  /** Writes the index anew and removes whatever is not of use; says what that was. */
  compact(): Promise<Swept> {
    return this.#run(async () => {
      await this.#body.rewriteIndex();
      return await this.#body.sweep();
    });
  }

  /**
   * Encrypts everything anew, under a fresh master key and for another seed or passphrase. The old one opens nothing
   * any more that was not copied before. A crash leaves the chamber as it was or as it is to be.
   */
  rekey(secret: StoreSecret): Promise<void> {
    return this.#run(async () => {
      this.#body.checkWritable();
      const { header, master } = await newStoreKey(this.#owner, secret, this.#id);
      const cipher = new ChamberCipher(this.#owner.crypto, master, this.#id, this.#owner.node);
      wipe(master);
      const body = await ChamberBody.write(this.#provider, cipher, this.#body).catch((error) => {
        cipher.destroy();
        throw error;
      });
      try {
        await this.#provider.put(CHAMBER_HEADER_KEY, header);
      } catch (error) {
        // Which of the two counts now is seen when it is opened again.
        this.#body.doubt(error);
        cipher.destroy();
        throw error;
      }
      this.#cipher.destroy();
      this.#cipher = cipher;
      this.#body = body;
      await body.sweep();
    });
  }

  /**
   * Writes all records into a stream that is sealed for a seed or passphrase of its own. The chamber waits meanwhile,
   * so the export is of one moment.
   *
   * @param target Is closed at the end, and aborted when something fails.
   * @returns the number of records.
   */
  export(target: WritableStream<Uint8Array>, secret: StoreSecret): Promise<number> {
    return this.#run(async () => {
      const { crypto } = this.#owner;
      const sealer = sealStream({ secret, context: EXPORT_CONTEXT, crypto });
      const piped = sealer.readable.pipeTo(target);
      const writer = sealer.writable.getWriter();
      const writing = this.#exportTo(writer).catch(async (error) => {
        await writer.abort(error).catch(() => undefined);
        throw error;
      });
      // The error of the target is the one that says why.
      await Promise.all([piped, writing.catch(() => undefined)]);
      return await writing;
    });
  }

  /**
   * Takes over the records of an export, in one step: all of them or, when something fails, none.
   *
   * @param options.replace True: records of the same name are replaced. By default they are kept.
   * @returns the number of records taken over.
   * @throws {SttError} SEALED_KEY and what else `openStream` has; STORAGE_CORRUPT for other contents.
   */
  import(
    source: ReadableStream<Uint8Array>,
    secret: StoreSecret,
    options: { readonly replace?: boolean } = {},
  ): Promise<number> {
    return this.#run(async () => {
      const { crypto } = this.#owner;
      const opened = source.pipeThrough(openStream({ secret, context: EXPORT_CONTEXT, crypto }));
      const body = this.#body;
      let count = 0;
      async function* wanted(): AsyncGenerator<WantedChange, void, void> {
        for await (const record of decodeExported(opened)) {
          checkName(record.name);
          checkSize(record.name, record.value);
          if (options.replace !== true && body.entries.has(record.name)) continue;
          count++;
          yield record;
        }
      }
      await body.commit(wanted());
      return count;
    });
  }

  /** Erases the keys, after the operations under way. The provider stays open: it is the caller's. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#mutex.run(() => this.#cipher.destroy());
  }

  async #exportTo(writer: WritableStreamDefaultWriter<Uint8Array>): Promise<number> {
    for (const [name, { created, modified }] of this.#body.entries) {
      const value = await this.#body.read(name) as Uint8Array;
      const pieces = encodeExported({ name, created, modified, value });
      for (const piece of pieces) await writer.write(piece);
      wipe(value, ...pieces);
    }
    await writer.close();
    return this.#body.entries.size;
  }

  async #read(name: string): Promise<SttValue | undefined> {
    const bytes = await this.#body.read(name);
    if (bytes === undefined) return undefined;
    try {
      return decodeValue(bytes);
    } finally {
      wipe(bytes);
    }
  }

  async #run<T>(act: () => T | Promise<T>): Promise<T> {
    this.#checkOpen();
    return await this.#mutex.run(act);
  }

  #checkOpen(): void {
    if (this.#closed) throw new SttError("CLOSED", "cannot use chamber: it is closed");
  }
}

function infoOf(
  name: string,
  entry: { readonly size: number; readonly created: number; readonly modified: number },
): RecordInfo {
  const { size, created, modified } = entry;
  return { name, size, created: new Date(created), modified: new Date(modified) };
}
