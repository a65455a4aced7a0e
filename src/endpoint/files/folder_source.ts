/**
 * The files of a folder that is being sent. What was seen when the folder was walked may be another thing by now.
 *
 * @module
 */
import { constants, type FileHandle, open, stat } from "node:fs/promises";
import { join } from "node:path";
import { SttError } from "../../errors.ts";
import type { FolderEntry } from "./folder_wire.ts";
import { fileError } from "./file_error.ts";

const READ_BYTES = 262_144;

/** @throws {SttError} FILE_IO unless it is a folder. */
export async function checkFolder(path: string): Promise<void> {
  let isFolder: boolean;
  try {
    isFolder = (await stat(path)).isDirectory();
  } catch (cause) {
    throw fileError("read", path, cause);
  }
  if (!isFolder) throw new SttError("FILE_IO", `cannot send ${JSON.stringify(path)}: no folder`);
}

/** The whole of a small file. @throws {SttError} FILE_IO. */
export async function wholeFile(root: string, entry: FolderEntry): Promise<Uint8Array> {
  const bytes = new Uint8Array(entry.size ?? 0);
  let used = 0;
  for await (const chunk of fileRange(root, entry, 0)) {
    bytes.set(chunk, used);
    used += chunk.length;
  }
  return bytes;
}

/** The bytes between two positions. @throws {SttError} FILE_IO, also when the file has another size than before. */
export async function* fileRange(
  root: string,
  { path, size = 0 }: FolderEntry,
  from: number,
  to: number = size,
): AsyncGenerator<Uint8Array, void, void> {
  const full = join(root, path);
  const file = await openScanned(full, size);
  try {
    for (let position = from; position < to;) {
      const buffer = new Uint8Array(Math.min(READ_BYTES, to - position));
      const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
      if (bytesRead === 0) throw changed(full);
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } catch (cause) {
    throw fileError("read", full, cause);
  } finally {
    await file.close();
  }
}

function changed(path: string): SttError {
  return new SttError(
    "FILE_IO",
    `cannot send ${JSON.stringify(path)}: it changed while it was read`,
  );
}

/** Opens a file that the scan has seen: nothing that took its place meanwhile, such as a link. @throws {SttError} FILE_IO. */
async function openScanned(path: string, size: number): Promise<FileHandle> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
    const facts = await file.stat();
    if (!facts.isFile() || facts.size !== size) throw changed(path);
    return file;
  } catch (cause) {
    await file?.close();
    throw fileError("read", path, cause);
  }
}
