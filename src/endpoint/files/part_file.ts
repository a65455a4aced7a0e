/**
 * A file on its way: written under a hidden name beside its place, and shown under its own name only when it is whole.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { type FileHandle, link, lstat, open, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { toHex } from "../../codec/hex.ts";
import { SttError } from "../../errors.ts";
import { fileError, systemCode } from "./refusals.ts";

const BUFFER_BYTES = 262_144;
/** Leaves room for the dots, the random part and the ending within the 255 bytes of a name. */
const PART_NAME_BYTES = 200;

/** Where received bytes go. */
export interface FileDestination {
  /** Takes a copy. Resolves when the next chunk may come. */
  write(chunk: Uint8Array): Promise<void>;
  /** All bytes are there and verified: makes them last. Returns the path, or null where there is none. */
  commit(): Promise<string | null>;
  /** Leaves nothing behind. Never rejects. */
  discard(): Promise<void>;
}

/** A received file in a folder. */
export class PartFile implements FileDestination {
  readonly #path: string;
  readonly #partPath: string;
  readonly #directory: string;
  readonly #overwrite: boolean;
  #file: FileHandle | undefined;
  #buffer: Uint8Array = new Uint8Array(BUFFER_BYTES);
  #spare: Uint8Array = new Uint8Array(BUFFER_BYTES);
  #used = 0;
  /** The write under way: one, so that the disk works while the next buffer fills. */
  #pending: Promise<void> = Promise.resolve();
  #over = false;

  private constructor(directory: string, name: string, partName: string, overwrite: boolean) {
    this.#directory = directory;
    this.#path = join(directory, name);
    this.#partPath = join(directory, partName);
    this.#overwrite = overwrite;
  }

  /**
   * Begins a file. `name` has passed the name rules.
   *
   * @throws {SttError} FILE_EXISTS, FILE_IO.
   */
  static async create(directory: string, name: string, overwrite: boolean): Promise<PartFile> {
    const part = new PartFile(directory, name, partName(name), overwrite);
    await part.#refuseExisting();
    try {
      part.#file = await open(part.#partPath, "wx", 0o600);
    } catch (cause) {
      throw fileError("create", part.#path, cause);
    }
    return part;
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
  }

  async commit(): Promise<string> {
    await this.#flush();
    await this.#pending;
    try {
      await this.#file?.sync();
      await this.#close();
      await this.#publish();
    } catch (cause) {
      throw fileError("write", this.#path, cause);
    }
    this.#over = true;
    await syncFolder(this.#directory);
    return this.#path;
  }

  async #publish(): Promise<void> {
    if (this.#overwrite) {
      await rename(this.#partPath, this.#path);
      return;
    }
    try {
      // A link fails where a rename would silently replace what came into being meanwhile.
      await link(this.#partPath, this.#path);
    } catch (cause) {
      if (systemCode(cause) === "EEXIST") throw this.#exists();
      await this.#publishWithoutLinks();
      return;
    }
    await unlink(this.#partPath);
  }

  /** File systems without hard links (FAT, some network ones): reserve the name, then replace the reservation. */
  async #publishWithoutLinks(): Promise<void> {
    let reserved: FileHandle;
    try {
      reserved = await open(this.#path, "wx", 0o600);
    } catch (cause) {
      throw systemCode(cause) === "EEXIST" ? this.#exists() : cause;
    }
    await reserved.close();
    try {
      await rename(this.#partPath, this.#path);
    } catch (cause) {
      await unlink(this.#path);
      throw cause;
    }
  }

  async discard(): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    await this.#pending.catch(() => undefined);
    await this.#close().catch(() => undefined);
    await unlink(this.#partPath).catch(() => undefined);
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
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
    if (isFolder || !this.#overwrite) throw this.#exists();
  }

  #exists(): SttError {
    return new SttError(
      "FILE_EXISTS",
      `cannot create ${JSON.stringify(this.#path)}: a file or folder of this name exists`,
    );
  }
}

/** Received bytes that go to a function: standard output, a parser, a test. */
export class ForwardedBytes implements FileDestination {
  readonly #write: (chunk: Uint8Array) => void | Promise<void>;

  constructor(write: (chunk: Uint8Array) => void | Promise<void>) {
    this.#write = write;
  }

  async write(chunk: Uint8Array): Promise<void> {
    await this.#write(chunk);
  }

  commit(): Promise<null> {
    return Promise.resolve(null);
  }

  discard(): Promise<void> {
    return Promise.resolve();
  }
}

function partName(name: string): string {
  let short = name;
  const encoder = new TextEncoder();
  while (encoder.encode(short).length > PART_NAME_BYTES) short = [...short].slice(0, -1).join("");
  return `.${short}.${toHex(randomBytes(6))}.part`;
}

/** The new name itself must survive a power cut. */
async function syncFolder(path: string): Promise<void> {
  // Windows opens no folders; its file systems journal names themselves.
  if (process.platform === "win32") return;
  let folder: FileHandle | undefined;
  try {
    folder = await open(path, "r");
    await folder.sync();
  } catch (cause) {
    const code = systemCode(cause);
    // Some file systems cannot sync folders; a folder may be writable and not readable.
    if (code !== "EINVAL" && code !== "ENOTSUP" && code !== "EACCES" && code !== "EPERM") {
      throw fileError("sync", path, cause);
    }
  } finally {
    await folder?.close();
  }
}
