/**
 * Seeds kept in files: one seed as text, readable by its owner alone.
 *
 * @module
 */

import { type FileHandle, open, unlink } from "node:fs/promises";
import process from "node:process";
import { toHex } from "../codec/hex.ts";
import { wipe } from "../crypto/secret.ts";
import { checkSeed, parseSeed } from "../crypto/seeds.ts";
import { type ErrorCode, SttError } from "../errors.ts";
import { systemReason } from "./files/file_error.ts";

/** A seed is well below this; a wrong path (a log, a device) must not be read to its end. */
const SEED_FILE_MAX_BYTES = 4096;

/** What {@link readSeedFile} found. */
export interface SeedFile {
  /** At least 32 bytes; the caller erases them after use. */
  readonly seed: Uint8Array;
  /** True when others than the owner may read or write the file. Always false on Windows, which has no such bits. */
  readonly looseMode: boolean;
}

/**
 * Reads a text file that holds one seed, hexadecimal or base64url, white space around it allowed.
 *
 * @param path A file, or a pipe that ends.
 * @throws {SttError} SEED when the file cannot be read, is longer than 4096 bytes or holds no seed. The message names the
 * path, never the content.
 *
 * @example
 * ```ts
 * import { readSeedFile, writeSeedFile } from "@seigr/stt";
 * import { mkdtemp, rm } from "node:fs/promises";
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 *
 * const folder = await mkdtemp(join(tmpdir(), "stt-"));
 * await writeSeedFile(join(folder, "network.seed"), new Uint8Array(32).fill(7));
 * const { seed, looseMode } = await readSeedFile(join(folder, "network.seed"));
 * console.log(seed.length, looseMode); // 32 false
 * await rm(folder, { recursive: true });
 * ```
 */
export async function readSeedFile(path: string): Promise<SeedFile> {
  let file: FileHandle | undefined;
  let bytes: Uint8Array | undefined;
  try {
    file = await open(path, "r");
    const { mode } = await file.stat();
    bytes = await readBounded(file);
    return {
      seed: parseContent(path, bytes),
      looseMode: process.platform !== "win32" && (mode & 0o077) !== 0,
    };
  } catch (error) {
    throw error instanceof SttError ? error : fileError("SEED", "read", path, error);
  } finally {
    wipe(bytes);
    await file?.close();
  }
}

/** The seed of {@link readSeedFile} without the rest. */
export async function seedFromFile(path: string): Promise<Uint8Array> {
  return (await readSeedFile(path)).seed;
}

/**
 * Writes a seed as hexadecimal text into a new file that only its owner may read (mode 0600).
 *
 * @param path A file that does not exist yet, in a folder that does.
 * @param seed At least 32 bytes.
 * @throws {SttError} SEED when the seed is too short, FILE_EXISTS rather than overwrite, FILE_IO when writing fails.
 */
export async function writeSeedFile(path: string, seed: Uint8Array): Promise<void> {
  checkSeed("seed", seed);
  const file = await create(path);
  try {
    try {
      await file.writeFile(`${toHex(seed)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    // Half a seed would only be found out much later.
    await unlink(path);
    throw fileError("FILE_IO", "write", path, error);
  }
}

async function create(path: string): Promise<FileHandle> {
  try {
    return await open(path, "wx", 0o600);
  } catch (error) {
    const exists = (error as { code?: unknown }).code === "EEXIST";
    throw fileError(exists ? "FILE_EXISTS" : "FILE_IO", "write", path, error);
  }
}

/** At most one byte more than the limit. */
async function readBounded(file: FileHandle): Promise<Uint8Array> {
  const buffer = new Uint8Array(SEED_FILE_MAX_BYTES + 1);
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}

function parseContent(path: string, bytes: Uint8Array): Uint8Array {
  if (bytes.length > SEED_FILE_MAX_BYTES) {
    throw new SttError(
      "SEED",
      `cannot read seed file ${JSON.stringify(path)}: more than ${SEED_FILE_MAX_BYTES} bytes`,
      { limit: SEED_FILE_MAX_BYTES },
    );
  }
  try {
    return parseSeed(new TextDecoder().decode(bytes).trim());
  } catch (error) {
    throw fileError("SEED", "read", path, error);
  }
}

/** A seed where the name of its file belongs. */
function isSeed(path: string): boolean {
  try {
    wipe(parseSeed(path));
    return true;
  } catch {
    return false;
  }
}

function fileError(code: ErrorCode, verb: string, path: string, cause: unknown): SttError {
  // Neither the name nor the cause, which repeats it.
  if (isSeed(path)) return new SttError(code, `cannot ${verb} seed file: its name is a seed`);
  const what = `cannot ${verb} seed file ${JSON.stringify(path)}`;
  return new SttError(code, `${what}: ${systemReason(cause)}`, { cause });
}
