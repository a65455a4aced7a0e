/**
 * The few things that the file store asks of a file system, so that tests can stop it between any two of them.
 *
 * @module
 */
import {
  type FileHandle,
  link,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  stat,
  unlink,
} from "node:fs/promises";
import process from "node:process";
import { systemCode } from "./system_error.ts";

/** Size and time of a file. */
export interface FileFacts {
  /** Bytes. */
  readonly size: number;
  /** Unix milliseconds. */
  readonly modified: number;
}

/** Files of one folder, by path. */
export interface StoreFileSystem {
  /** Creates a folder (mode 0700) and those above it; nothing happens when it is there. */
  makeFolder(path: string): Promise<void>;
  /** Undefined when there is no such file. */
  readFile(path: string): Promise<Uint8Array | undefined>;
  /** A new file (O_EXCL, mode 0600) with its content synced to the disk; rejects when the path exists. */
  writeNewFile(path: string, bytes: Uint8Array): Promise<void>;
  /** Replaces what has the new name, in one step. */
  rename(from: string, to: string): Promise<void>;
  /** A second name for a file; false when the name is taken. Rejects with ENOTSUP or EPERM where there are no links. */
  link(from: string, to: string): Promise<boolean>;
  /** False when there is no such file. */
  remove(path: string): Promise<boolean>;
  /** Names in a folder. */
  names(path: string): Promise<string[]>;
  /** Undefined when there is no such file. */
  facts(path: string): Promise<FileFacts | undefined>;
  /** Makes the names in a folder last. */
  syncFolder(path: string): Promise<void>;
}

/** Undefined instead of an error when there is no such file. */
async function unlessMissing<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** The system's files. */
export const SYSTEM_FILES: StoreFileSystem = {
  async makeFolder(path) {
    await mkdir(path, { recursive: true, mode: 0o700 });
  },
  async readFile(path) {
    const bytes = await unlessMissing(readFile(path));
    return bytes === undefined
      ? undefined
      : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  },
  async writeNewFile(path, bytes) {
    const file = await open(path, "wx", 0o600);
    try {
      for (let offset = 0; offset < bytes.length;) {
        const { bytesWritten } = await file.write(bytes, offset, bytes.length - offset, null);
        offset += bytesWritten;
      }
      await file.sync();
    } finally {
      await file.close();
    }
  },
  rename,
  async link(from, to) {
    try {
      await link(from, to);
      return true;
    } catch (error) {
      if (systemCode(error) === "EEXIST") return false;
      throw error;
    }
  },
  async remove(path) {
    return (await unlessMissing(unlink(path).then(() => true))) ?? false;
  },
  names: readdir,
  async facts(path) {
    const found = await unlessMissing(stat(path));
    return found === undefined ? undefined : { size: found.size, modified: found.mtimeMs };
  },
  async syncFolder(path) {
    // Windows opens no folders; its file systems journal names themselves.
    if (process.platform === "win32") return;
    let folder: FileHandle | undefined;
    try {
      folder = await open(path, "r");
      await folder.sync();
    } catch (error) {
      // Some file systems cannot sync folders.
      const code = systemCode(error);
      if (code !== "EINVAL" && code !== "ENOTSUP") throw error;
    } finally {
      await folder?.close();
    }
  },
};
