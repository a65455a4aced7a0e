/**
 * The entries of a chamber in a provider, and how a change becomes one step (SPEC 14.4): new records first, then the
 * head that names them, then what is no longer named goes.
 *
 * @module
 */
import { toHex } from "../codec/hex.ts";
import { SttError } from "../errors.ts";
import { CHAMBER_PART_PREFIX, type ChamberCipher } from "../sealed/chamber_cipher.ts";
import {
  applyChanges,
  CHAMBER_MAX_RECORDS,
  type ChamberHead,
  type IndexChange,
  type RecordEntry,
} from "../sealed/chamber_index.ts";
import type { StorageProvider } from "./provider.ts";

/** After so many changes the index is written anew: the head, written with every change, stays small. */
const HEAD_MAX_CHANGES = 64;

/** A value to write, or undefined for a name to remove. */
export interface WantedChange {
  readonly name: string;
  /** The encoded value. */
  readonly value: Uint8Array | undefined;
  /** Unix milliseconds; by default those of the record that is replaced, or `modified`. */
  readonly created?: number;
  readonly modified: number;
}

/** What {@link ChamberBody.sweep} removed. */
export interface Swept {
  /** Entries of the provider. */
  readonly removed: number;
  /** Bytes of their values. */
  readonly bytes: number;
}

/** The state of an open chamber. Its methods must not overlap. */
export class ChamberBody {
  readonly #provider: StorageProvider;
  readonly #cipher: ChamberCipher;
  readonly #entries: Map<string, RecordEntry>;
  #head: ChamberHead;
  /** Why nothing may be written any more: what is on the disk is not known. */
  #doubt: unknown;

  private constructor(
    provider: StorageProvider,
    cipher: ChamberCipher,
    entries: Map<string, RecordEntry>,
    head: ChamberHead,
  ) {
    this.#provider = provider;
    this.#cipher = cipher;
    this.#entries = entries;
    this.#head = head;
  }

  /** @throws {SttError} STORAGE_CORRUPT. */
  static async load(provider: StorageProvider, cipher: ChamberCipher): Promise<ChamberBody> {
    const head = cipher.openHead(await provider.get(cipher.locate("head", 0)));
    const index = await provider.get(cipher.locate("index", head.base));
    const entries = cipher.openIndex(head.base, index);
    applyChanges(entries, head.changes);
    return new ChamberBody(provider, cipher, entries, head);
  }

  /** Writes a whole chamber under new keys, by the side of what is there; a header makes it the one that counts. */
  static async write(
    provider: StorageProvider,
    cipher: ChamberCipher,
    source?: ChamberBody,
  ): Promise<ChamberBody> {
    const entries = new Map<string, RecordEntry>();
    for (const [name, entry] of source?.entries ?? []) {
      const value = await (source as ChamberBody).read(name);
      const { bytes, tag } = cipher.sealRecord(name, entry.version, value as Uint8Array);
      await provider.put(cipher.locate("record", entry.version), bytes);
      entries.set(name, { ...entry, tag });
    }
    const generation = source?.generation ?? 0;
    const head: ChamberHead = { base: generation, generation, changes: [] };
    await provider.put(cipher.locate("index", generation), cipher.sealIndex(generation, entries));
    await provider.put(cipher.locate("head", 0), cipher.sealHead(head));
    return new ChamberBody(provider, cipher, entries, head);
  }

  get entries(): ReadonlyMap<string, RecordEntry> {
    return this.#entries;
  }

  get generation(): number {
    return this.#head.generation;
  }

  /** The encoded value. @throws {SttError} STORAGE_CORRUPT. */
  async read(name: string): Promise<Uint8Array | undefined> {
    const entry = this.#entries.get(name);
    if (entry === undefined) return undefined;
    const bytes = await this.#provider.get(this.#cipher.locate("record", entry.version));
    return this.#cipher.openRecord(name, entry, bytes);
  }

  /** All of the changes or none of them, whatever stops the process. */
  async commit(wanted: Iterable<WantedChange> | AsyncIterable<WantedChange>): Promise<void> {
    this.checkWritable();
    let version = this.#head.generation;
    const changes: IndexChange[] = [];
    const written: Uint8Array[] = [];
    const entries = new Map(this.#entries);
    try {
      for await (const change of wanted) {
        version++;
        const entry = await this.#writeRecord(change, version, entries, written);
        changes.push([change.name, entry]);
        applyChanges(entries, changes.slice(-1));
      }
      this.#checkCount(entries);
      if (changes.length === 0) return;
    } catch (error) {
      await this.#remove(written);
      throw error;
    }
    await this.#publish(entries, changes, version, written);
  }

  /** Writes the index anew, so that the head is small. */
  async rewriteIndex(): Promise<void> {
    this.checkWritable();
    await this.#publish(this.#entries, undefined, this.#head.generation, []);
  }

  /** Removes everything of the chamber that its header, head and index do not name. */
  async sweep(): Promise<Swept> {
    const live = new Set<string>();
    const add = (key: Uint8Array): void => void live.add(toHex(key));
    add(this.#cipher.locate("head", 0));
    add(this.#cipher.locate("index", this.#head.base));
    for (const { version } of this.#entries.values()) add(this.#cipher.locate("record", version));
    let removed = 0;
    let bytes = 0;
    for await (const { key, size } of this.#provider.list(new Uint8Array([CHAMBER_PART_PREFIX]))) {
      if (live.has(toHex(key)) || !await this.#provider.delete(key)) continue;
      removed++;
      bytes += size;
    }
    return { removed, bytes };
  }

  /** Nothing may be written any more. */
  doubt(cause: unknown): void {
    this.#doubt ??= cause;
  }

  async #writeRecord(
    change: WantedChange,
    version: number,
    entries: ReadonlyMap<string, RecordEntry>,
    written: Uint8Array[],
  ): Promise<RecordEntry | undefined> {
    const { name, value, modified } = change;
    if (value === undefined) return undefined;
    const { bytes, tag } = this.#cipher.sealRecord(name, version, value);
    const key = this.#cipher.locate("record", version);
    written.push(key);
    await this.#provider.put(key, bytes);
    const created = change.created ?? entries.get(name)?.created ?? modified;
    return { version, created, modified, size: value.length, tag };
  }

  /** The step from the old state to the new one is the `put` of the head. */
  async #publish(
    entries: ReadonlyMap<string, RecordEntry>,
    changes: readonly IndexChange[] | undefined,
    generation: number,
    written: Uint8Array[],
  ): Promise<void> {
    const all = [...this.#head.changes, ...changes ?? []];
    const rewrite = changes === undefined || all.length > HEAD_MAX_CHANGES;
    const old = this.#head;
    const head: ChamberHead = rewrite
      ? { base: generation, generation, changes: [] }
      : { base: old.base, generation, changes: all };
    const sealed = this.#cipher.sealHead(head);
    try {
      if (rewrite && generation !== old.base) {
        const key = this.#cipher.locate("index", generation);
        written.push(key);
        await this.#provider.put(key, this.#cipher.sealIndex(generation, entries));
      }
    } catch (error) {
      await this.#remove(written);
      throw error;
    }
    await this.#putHead(sealed, written);
    const superseded = this.#supersededBy(entries, changes ?? []);
    if (head.base !== old.base) superseded.push(this.#cipher.locate("index", old.base));
    this.#head = head;
    if (entries !== this.#entries) applyChanges(this.#entries, changes ?? []);
    // What stays because of an error here is removed by the next sweep.
    await this.#remove(superseded);
  }

  async #putHead(sealed: Uint8Array, written: readonly Uint8Array[]): Promise<void> {
    const key = this.#cipher.locate("head", 0);
    let before: Uint8Array | undefined;
    try {
      before = await this.#provider.get(key);
      await this.#provider.put(key, sealed);
    } catch (error) {
      // A failed `put` may have replaced the head all the same; then what it names must stay.
      const now = await this.#provider.get(key).catch(() => undefined);
      const unchanged = before !== undefined && now !== undefined && toHex(now) === toHex(before);
      if (unchanged) await this.#remove(written);
      else this.#doubt = error;
      throw error;
    }
  }

  #supersededBy(
    entries: ReadonlyMap<string, RecordEntry>,
    changes: readonly IndexChange[],
  ): Uint8Array[] {
    const versions = new Set<number>();
    for (const [name, entry] of changes) {
      const old = this.#entries.get(name);
      if (old !== undefined) versions.add(old.version);
      // A name may be written twice in one step.
      if (entry !== undefined && entries.get(name) !== entry) versions.add(entry.version);
    }
    return [...versions].map((version) => this.#cipher.locate("record", version));
  }

  async #remove(keys: readonly Uint8Array[]): Promise<void> {
    for (const key of keys) await this.#provider.delete(key).catch(() => undefined);
  }

  #checkCount(entries: ReadonlyMap<string, RecordEntry>): void {
    if (entries.size <= CHAMBER_MAX_RECORDS) return;
    throw new SttError(
      "STORAGE_FULL",
      `cannot write to chamber: ${entries.size} records are above the limit of ${CHAMBER_MAX_RECORDS}`,
      { limit: CHAMBER_MAX_RECORDS },
    );
  }

  /** @throws {SttError} CLOSED after a write of which it is not known whether it took place. */
  checkWritable(): void {
    if (this.#doubt === undefined) return;
    throw new SttError(
      "CLOSED",
      "cannot write to chamber: an earlier write failed half way; open it again",
      { cause: this.#doubt },
    );
  }
}
