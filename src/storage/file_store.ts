/**
 * A provider over a folder: one file per value, written beside its place and renamed into it (SPEC 14.7).
 *
 * @module
 */
import { join } from "node:path";
import { fromHex, toHex } from "../codec/hex.ts";
import { nodeProvider } from "../crypto/node_provider.ts";
import { SttError } from "../errors.ts";
import { type FolderLock, lockFolder, type LockWorld, removeOldLocks } from "./file_lock.ts";
import { type StoreFileSystem, SYSTEM_FILES } from "./file_system.ts";
import {
  checkStorageKey,
  checkStorageValue,
  closedStore,
  hasPrefix,
  STORAGE_VALUE_MAX_BYTES,
  type StorageProvider,
  type StoredEntry,
} from "./provider.ts";
import { storageError } from "./system_error.ts";

const VALUE_NAME = /^((?:[0-9a-f]{2}){1,64})\.stt$/;
const DRAFT_NAME = /^\.[0-9a-f]+\.tmp$/;

/**
 * Values as files of a folder that is this store's alone. A file's name is the key in hexadecimal, so a key can be any
 * bytes and none leads out of the folder. Files are of mode 0600, a folder that is made here of mode 0700.
 *
 * One process at a time: the file `lock` names the one that has the folder open. What a process that died left behind
 * is taken over. Processes of other machines, or of containers with pids of their own, do not see each other: do not
 * let them share a folder.
 *
 * @example
 * ```ts
 * import { FileStore } from "@seigr/stt/storage";
 * import { mkdtemp, rm } from "node:fs/promises";
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 *
 * const folder = await mkdtemp(join(tmpdir(), "stt-"));
 * const store = await FileStore.open(folder);
 * await store.put(new Uint8Array([1]), new Uint8Array([2, 3]));
 * await store.close();
 * await rm(folder, { recursive: true });
 * ```
 */
export class FileStore implements StorageProvider {
  readonly #files: StoreFileSystem;
  readonly #folder: string;
  readonly #lock: FolderLock;
  #closing: Promise<void> | undefined;

  private constructor(files: StoreFileSystem, folder: string, lock: FolderLock) {
    this.#files = files;
    this.#folder = folder;
    this.#lock = lock;
  }

  /**
   * Opens a folder, or makes it.
   *
   * @param options For tests: another file system, and another view of the processes that hold locks.
   * @throws {SttError} STORAGE_LOCKED when another process has it open, or this one already; FILE_IO.
   */
  static async open(
    folder: string,
    options: { readonly files?: StoreFileSystem; readonly world?: LockWorld } = {},
  ): Promise<FileStore> {
    const files = options.files ?? SYSTEM_FILES;
    let lock: FolderLock | undefined;
    try {
      await files.makeFolder(folder);
      lock = await lockFolder(files, folder, options.world);
      const store = new FileStore(files, folder, lock);
      await store.#removeDrafts();
      await removeOldLocks(files, folder, Date.now());
      return store;
    } catch (cause) {
      await lock?.release().catch(() => undefined);
      throw storageError("open", folder, cause);
    }
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    const path = this.#pathOf(key);
    try {
      const facts = await this.#files.facts(path);
      // Others may have put anything here; what is larger was not written by this store.
      if (facts !== undefined && facts.size > STORAGE_VALUE_MAX_BYTES) {
        throw new SttError(
          "STORAGE_CORRUPT",
          `cannot read ${JSON.stringify(path)}: ${facts.size} bytes`,
          {
            limit: STORAGE_VALUE_MAX_BYTES,
          },
        );
      }
      return facts === undefined ? undefined : await this.#files.readFile(path);
    } catch (cause) {
      throw storageError("read", path, cause);
    }
  }

  async put(key: Uint8Array, value: Uint8Array): Promise<void> {
    const path = this.#pathOf(key);
    checkStorageValue(value);
    const draft = join(this.#folder, `.${toHex(nodeProvider().randomBytes(12))}.tmp`);
    try {
      try {
        await this.#files.writeNewFile(draft, value);
        await this.#files.rename(draft, path);
      } catch (cause) {
        await this.#files.remove(draft).catch(() => undefined);
        throw cause;
      }
      await this.#files.syncFolder(this.#folder);
    } catch (cause) {
      throw storageError("write", path, cause);
    }
  }

  async delete(key: Uint8Array): Promise<boolean> {
    const path = this.#pathOf(key);
    try {
      if (!await this.#files.remove(path)) return false;
      await this.#files.syncFolder(this.#folder);
      return true;
    } catch (cause) {
      throw storageError("remove", path, cause);
    }
  }

  async *list(prefix?: Uint8Array): AsyncGenerator<StoredEntry, void, void> {
    if (this.#closing !== undefined) throw closedStore();
    for (const name of await this.#names()) {
      const hex = VALUE_NAME.exec(name)?.[1];
      if (hex === undefined) continue;
      const key = fromHex(hex);
      if (!hasPrefix(key, prefix)) continue;
      const facts = await this.#files.facts(join(this.#folder, name));
      if (facts !== undefined) yield { key, ...facts };
    }
  }

  /** Lets other processes open the folder. */
  close(): Promise<void> {
    this.#closing ??= this.#lock.release().catch((cause) => {
      throw storageError("close", this.#folder, cause);
    });
    return this.#closing;
  }

  async #names(): Promise<string[]> {
    try {
      return await this.#files.names(this.#folder);
    } catch (cause) {
      throw storageError("list", this.#folder, cause);
    }
  }

  /** What a process was writing when it died. */
  async #removeDrafts(): Promise<void> {
    for (const name of await this.#names()) {
      if (DRAFT_NAME.test(name)) await this.#files.remove(join(this.#folder, name));
    }
  }

  #pathOf(key: Uint8Array): string {
    if (this.#closing !== undefined) throw closedStore();
    checkStorageKey(key);
    return join(this.#folder, `${toHex(key)}.stt`);
  }
}
