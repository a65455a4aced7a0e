/**
 * A file on its way: written under a hidden name beside its place, and shown under its own name only when it is whole.
 *
 * @module
 */
import { constants, type FileHandle, lstat, open, unlink } from "node:fs/promises";
import { join } from "node:path";
import { SttError } from "../../errors.ts";
import { systemCode } from "../../storage/system_error.ts";
import type { EarlierBytes, FileDestination } from "./destination.ts";
import { fileError } from "./file_error.ts";
import { PartPlace, type ResumeLimits } from "./kept_parts.ts";
import { alreadyExists, publish, syncFolder } from "./publish.ts";

/** Of files that are received: readable by their owner alone. */
export const PRIVATE_MODE = 0o600;
const BUFFER_BYTES = 262_144;
/** How much is written before the disk is asked to begin. */
const SYNC_BYTES = 4_194_304;

/** Of a file that a later transfer may go on with. */
export interface Resumption {
  /** Bytes of the whole file. */
  readonly size: number;
  readonly limits: Required<ResumeLimits>;
}

/** A received file in a folder. */
export class PartFile implements FileDestination {
  readonly #path: string;
  readonly #place: PartPlace;
  readonly #directory: string;
  readonly #overwrite: boolean;
  readonly #mode: number;
  readonly #limits: Required<ResumeLimits> | undefined;
  readonly #guard: () => Promise<void>;
  #earlier: EarlierBytes | undefined;
  #file: FileHandle | undefined;
  #buffer: Uint8Array = new Uint8Array(BUFFER_BYTES);
  #spare: Uint8Array = new Uint8Array(BUFFER_BYTES);
  #used = 0;
  /** The write under way: one, so that the disk works while the next buffer fills. */
  #pending: Promise<void> = Promise.resolve();
  /** Bytes written since the last time that the disk was asked to keep them. */
  #unsynced = 0;
  /** The disk works on what is there already. Rejects at most once: the system tells of a lost write one time only. */
  #syncing: Promise<void> | undefined;
  #over = false;

  private constructor(
    directory: string,
    name: string,
    overwrite: boolean,
    resumption: Resumption | undefined,
    mode: number,
    guard: () => Promise<void>,
  ) {
    this.#guard = guard;
    this.#directory = directory;
    this.#path = join(directory, name);
    this.#place = new PartPlace(directory, name, resumption?.size);
    this.#overwrite = overwrite;
    this.#mode = mode;
    this.#limits = resumption?.limits;
  }

  /**
   * Begins a file, or goes on with one. `name` has passed the name rules.
   *
   * @param mode Permissions of the file once it is in its place; until then its owner alone may read it.
   * @param guard Looks whether `directory` is still the folder that it was; asked behind the opening and before the name.
   * @throws {SttError} FILE_EXISTS, FILE_IO.
   */
  static async create(
    directory: string,
    name: string,
    overwrite: boolean,
    resumption?: Resumption,
    mode: number = PRIVATE_MODE,
    guard: () => Promise<void> = () => Promise.resolve(),
  ): Promise<PartFile> {
    const part = new PartFile(directory, name, overwrite, resumption, mode, guard);
    try {
      await part.#refuseExisting();
      if (resumption !== undefined) await part.#adopt(resumption);
      if (part.#file === undefined) await part.#begin();
      await guard().catch(async (error: unknown) => {
        await part.#removePart();
        throw error;
      });
    } catch (error) {
      part.#place.leave();
      throw error;
    }
    return part;
  }

  get earlier(): EarlierBytes | undefined {
    return this.#earlier;
  }

  async #begin(): Promise<void> {
    try {
      this.#file = await open(this.#place.path, "wx", PRIVATE_MODE);
    } catch (cause) {
      throw fileError("create", this.#path, cause);
    }
  }

  /** Opens what an earlier transfer left; anything odd about it, and the file begins anew. */
  async #adopt({ size, limits }: Resumption): Promise<void> {
    const settle = await this.#place.adopt(limits);
    if (settle === undefined) return;
    const bytes = await this.#openEarlier(size);
    if (bytes === undefined) {
      await this.#removePart();
      await settle();
      return;
    }
    this.#earlier = {
      bytes,
      read: () => this.#read(bytes),
      decide: async (use) => {
        await settle();
        if (use) return;
        await this.#removePart();
        await this.#begin();
      },
    };
  }

  async #openEarlier(size: number): Promise<number | undefined> {
    try {
      // A link with this name could lead anywhere.
      this.#file = await open(this.#place.path, constants.O_RDWR | (constants.O_NOFOLLOW ?? 0));
      const facts = await this.#file.stat();
      const usable = facts.isFile() && facts.nlink === 1 && facts.size > 0 && facts.size <= size;
      return usable ? facts.size : undefined;
    } catch {
      return undefined;
    }
  }

  /** Leaves the file's position behind the last byte, where writing goes on. */
  async *#read(bytes: number): AsyncGenerator<Uint8Array, void, void> {
    for (let left = bytes; left > 0;) {
      const length = Math.min(left, this.#buffer.length);
      let bytesRead = 0;
      try {
        bytesRead = (await this.#file?.read(this.#buffer, 0, length, null))?.bytesRead ?? 0;
      } catch (cause) {
        throw fileError("read", this.#path, cause);
      }
      if (bytesRead === 0) throw new SttError("FILE_IO", "cannot read part of file: it shrank");
      left -= bytesRead;
      yield this.#buffer.subarray(0, bytesRead);
    }
  }

  async #removePart(): Promise<void> {
    await this.#close().catch(() => undefined);
    await unlink(this.#place.path).catch(() => undefined);
  }

  async write(chunk: Uint8Array): Promise<void> {
    for (let offset = 0; offset < chunk.length;) {
      const piece = chunk.subarray(offset, offset + this.#buffer.length - this.#used);
      this.#buffer.set(piece, this.#used);
      this.#used += piece.length;
      offset += piece.length;
      if (this.#used === this.#buffer.length) await this.#flush();
    }
  }

  /** Starts writing the full buffer once the one before it is on its way to the disk. */
  async #flush(): Promise<void> {
    await this.#pending;
    const bytes = this.#buffer.subarray(0, this.#used);
    [this.#buffer, this.#spare] = [this.#spare, this.#buffer];
    this.#used = 0;
    this.#pending = this.#writeAll(bytes);
    // Whoever waits next is told; until then nobody may be.
    this.#pending.catch(() => undefined);
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    const file = this.#file;
    if (file === undefined) throw new SttError("CLOSED", "cannot write file: it is closed");
    try {
      for (let offset = 0; offset < bytes.length;) {
        const { bytesWritten } = await file.write(bytes, offset, bytes.length - offset, null);
        offset += bytesWritten;
      }
    } catch (cause) {
      throw fileError("write", this.#path, cause);
    }
    this.#unsynced += bytes.length;
    if (this.#unsynced >= SYNC_BYTES) this.#syncSoFar(file);
  }

  /** Else all of a large file would go to the disk after its last byte, while the sender waits. */
  #syncSoFar(file: FileHandle): void {
    if (this.#syncing !== undefined) return;
    this.#unsynced = 0;
    this.#syncing = file.datasync().then(() => {
      this.#syncing = undefined;
    });
    // `commit` looks at it; until then nobody may.
    this.#syncing.catch(() => undefined);
  }

  async commit(): Promise<string> {
    await this.#flush();
    await this.#pending;
    try {
      await this.#syncing;
      if (this.#mode !== PRIVATE_MODE) await this.#file?.chmod(this.#mode);
      await this.#file?.sync();
      await this.#close();
      await this.#guard();
      await publish(this.#place.path, this.#path, this.#overwrite);
    } catch (cause) {
      throw fileError("write", this.#path, cause);
    }
    this.#over = true;
    this.#place.leave();
    await this.#place.forget();
    await syncFolder(this.#directory);
    return this.#path;
  }

  async discard(): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    await this.#pending.catch(() => undefined);
    await this.#removePart();
    this.#place.leave();
  }

  async keep(): Promise<void> {
    if (this.#over) return;
    if (this.#limits === undefined) return await this.discard();
    try {
      await this.#flush();
      await this.#pending;
      await this.#close();
      await this.#place.keep(this.#limits);
    } catch {
      return await this.discard();
    }
    this.#over = true;
    this.#place.leave();
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await this.#syncing?.catch(() => undefined);
    await file?.close();
  }

  async #refuseExisting(): Promise<void> {
    let isFolder: boolean;
    try {
      isFolder = (await lstat(this.#path)).isDirectory();
    } catch (cause) {
      if (systemCode(cause) === "ENOENT") return;
      throw fileError("create", this.#path, cause);
    }
    if (isFolder || !this.#overwrite) throw alreadyExists(this.#path);
  }
}
