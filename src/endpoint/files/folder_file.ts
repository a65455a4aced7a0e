/**
 * One file of a folder on its way to the disk.
 *
 * @module
 */
import { constants, type FileHandle, lstat, open, unlink } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { SttError } from "../../errors.ts";
import { systemCode } from "../../storage/system_error.ts";
import { resumable, type ResumeLimits } from "./kept_parts.ts";
import type { EarlierBytes, FileDestination } from "./destination.ts";
import { fileError } from "./file_error.ts";
import { PartFile, PRIVATE_MODE } from "./part_file.ts";
import { alreadyExists } from "./publish.ts";

/** Files up to this size are gathered in memory and written at once. */
export const SMALL_FILE_BYTES = 65_536;
const EXECUTABLE_MODE = 0o700;
const READ_BYTES = 262_144;

/** Where a file goes and what of it is there. */
export interface FolderFileOptions {
  readonly path: string;
  readonly size: number;
  readonly executable: boolean;
  /** The folder is hidden until it is whole: a file in it needs no other name while it is written. */
  readonly hidden: boolean;
  /** Look at what is there already, and go on with it. */
  readonly limits: Required<ResumeLimits> | undefined;
  /** Replace what is there and differs. */
  readonly overwrite: boolean;
  /** Throws when the folder of the file is not the one that it was. */
  readonly guard: () => Promise<void>;
}

/** The file itself, complete, from an earlier transfer. */
class WholeFile implements FileDestination {
  readonly earlier: EarlierBytes;
  readonly #path: string;
  readonly #mode: number;
  readonly #guard: () => Promise<void>;
  readonly #next: () => Promise<FileDestination>;
  #other: FileDestination | undefined;

  constructor(
    path: string,
    size: number,
    mode: number,
    guard: () => Promise<void>,
    next: () => Promise<FileDestination>,
  ) {
    this.#path = path;
    this.#mode = mode;
    this.#guard = guard;
    this.#next = next;
    this.earlier = {
      bytes: size,
      read: () => readAll(path, size),
      decide: async (use) => {
        if (!use) this.#other = await this.#next();
      },
    };
  }

  async write(chunk: Uint8Array): Promise<void> {
    await this.#other?.write(chunk);
  }

  async commit(): Promise<string | null> {
    if (this.#other !== undefined) return await this.#other.commit();
    try {
      const file = await open(this.#path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
      try {
        await this.#guard();
        const executable = ((await file.stat()).mode & 0o100) !== 0;
        if (executable !== (this.#mode === EXECUTABLE_MODE)) await file.chmod(this.#mode);
        // A process that was killed may have left it unsynced.
        await file.sync();
      } finally {
        await file.close();
      }
    } catch (cause) {
      throw fileError("write", this.#path, cause);
    }
    return this.#path;
  }

  async discard(): Promise<void> {
    await this.#other?.discard();
  }

  async keep(): Promise<void> {
    await this.#other?.keep();
  }
}

/** A file of few bytes, which needs no descriptor until it is whole. */
class SmallFile implements FileDestination {
  readonly earlier = undefined;
  readonly #size: number;
  readonly #put: (content: Uint8Array) => Promise<string>;
  /** From the first byte on. Not the chunks: each may be a single byte, and an array for each would be memory without bound. */
  #content: Uint8Array | undefined;
  #used = 0;

  /** `size`: bytes to come, not one more. `put` makes the file of them. */
  constructor(size: number, put: (content: Uint8Array) => Promise<string>) {
    this.#size = size;
    this.#put = put;
  }

  write(chunk: Uint8Array): Promise<void> {
    this.#content ??= new Uint8Array(this.#size);
    this.#content.set(chunk, this.#used);
    this.#used += chunk.length;
    return Promise.resolve();
  }

  async commit(): Promise<string> {
    return await this.#put(this.#content?.subarray(0, this.#used) ?? new Uint8Array(0));
  }

  discard(): Promise<void> {
    return Promise.resolve();
  }

  keep(): Promise<void> {
    return Promise.resolve();
  }
}

/** In a hidden folder: one open, one write, one sync. */
async function putHidden(path: string, mode: number, content: Uint8Array): Promise<string> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, "wx", mode);
    if (content.length > 0) await file.writeFile(content);
    await file.datasync();
    await file.close();
  } catch (cause) {
    await file?.close().catch(() => undefined);
    if (systemCode(cause) === "EEXIST") throw alreadyExists(path);
    if (file !== undefined) await unlink(path).catch(() => undefined);
    throw fileError("write", path, cause);
  }
  return path;
}

/** In a folder that others see: beside its place, and then in it. */
async function putBeside(
  path: string,
  mode: number,
  replace: boolean,
  content: Uint8Array,
): Promise<string> {
  const file = await PartFile.create(dirname(path), basename(path), replace, undefined, mode);
  try {
    await file.write(content);
    return await file.commit();
  } catch (error) {
    await file.discard();
    throw error;
  }
}

/** Where the bytes of a file go. @throws {SttError} FILE_EXISTS, FILE_IO. */
export async function folderFile(
  options: FolderFileOptions,
  look: boolean,
): Promise<FileDestination> {
  const { path, size, executable, hidden, limits, overwrite, guard } = options;
  const mode = executable ? EXECUTABLE_MODE : PRIVATE_MODE;
  const begin = async (replace: boolean): Promise<FileDestination> => {
    if (size <= SMALL_FILE_BYTES) {
      if (!hidden) return new SmallFile(size, (content) => putBeside(path, mode, replace, content));
      if (replace) await unlink(path).catch(() => undefined);
      return new SmallFile(size, (content) => putHidden(path, mode, content));
    }
    const resumption = limits !== undefined && resumable(size) ? { size, limits } : undefined;
    const [folder, name] = [dirname(path), basename(path)];
    return await PartFile.create(folder, name, replace, resumption, mode, guard);
  };
  const there = look ? await sizeOf(path) : undefined;
  if (there === undefined) return await begin(false);
  if (!overwrite || there === "no file") throw alreadyExists(path);
  if (limits === undefined || there !== size || size === 0) return await begin(true);
  return new WholeFile(path, size, mode, guard, () => begin(true));
}

async function sizeOf(path: string): Promise<number | "no file" | undefined> {
  try {
    const facts = await lstat(path);
    return facts.isFile() ? facts.size : "no file";
  } catch (cause) {
    if (systemCode(cause) === "ENOENT") return undefined;
    throw fileError("create", path, cause);
  }
}

async function* readAll(path: string, size: number): AsyncGenerator<Uint8Array, void, void> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
    const buffer = new Uint8Array(Math.min(size, READ_BYTES));
    for (let left = size; left > 0;) {
      const { bytesRead } = await file.read(buffer, 0, Math.min(left, buffer.length), null);
      if (bytesRead === 0) throw new SttError("FILE_IO", "cannot read file: it shrank");
      left -= bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } catch (cause) {
    throw fileError("read", path, cause);
  } finally {
    await file?.close();
  }
}
