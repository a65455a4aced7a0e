/**
 * A whole file gets its name, in one step, and never the place of another that nobody wanted replaced.
 *
 * @module
 */
import { type FileHandle, link, open, rename, unlink } from "node:fs/promises";
import process from "node:process";
import { SttError } from "../../errors.ts";
import { systemCode } from "../../storage/system_error.ts";
import { fileError } from "./file_error.ts";

/** @throws {SttError} FILE_EXISTS without `overwrite`; else what the system throws. */
export async function publish(partPath: string, path: string, overwrite: boolean): Promise<void> {
  if (overwrite) {
    await rename(partPath, path);
    return;
  }
  try {
    // A link fails where a rename would silently replace what came into being meanwhile.
    await link(partPath, path);
  } catch (cause) {
    if (systemCode(cause) === "EEXIST") throw alreadyExists(path);
    await publishWithoutLinks(partPath, path);
    return;
  }
  await unlink(partPath);
}

/** File systems without hard links (FAT, some network ones): reserve the name, then replace the reservation. */
async function publishWithoutLinks(partPath: string, path: string): Promise<void> {
  let reserved: FileHandle;
  try {
    reserved = await open(path, "wx", 0o600);
  } catch (cause) {
    throw systemCode(cause) === "EEXIST" ? alreadyExists(path) : cause;
  }
  await reserved.close();
  try {
    await rename(partPath, path);
  } catch (cause) {
    await unlink(path);
    throw cause;
  }
}

/** FILE_EXISTS. */
export function alreadyExists(path: string): SttError {
  return new SttError(
    "FILE_EXISTS",
    `cannot create ${JSON.stringify(path)}: a file or folder of this name exists`,
  );
}

/** The new name itself must survive a power cut. @throws {SttError} FILE_IO. */
export async function syncFolder(path: string): Promise<void> {
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
