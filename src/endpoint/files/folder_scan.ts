/**
 * What a folder holds, for sending it.
 *
 * @module
 */
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { SttError } from "../../errors.ts";
import { folderPathFault } from "./folder_path.ts";
import type { FolderEntry } from "./folder_wire.ts";
import { fileError } from "./file_error.ts";

/** Files that are looked at at once. */
const AT_ONCE = 32;
const OWNER_MAY_EXECUTE = 0o100;
/** There every file may be executed. */
const WINDOWS = process.platform === "win32";

/** An entry that is not sent, or did not arrive. */
export interface FailedEntry {
  /** Path in the folder, with `/`. */
  readonly path: string;
  /** Why. */
  readonly error: SttError;
}

/** Something that is no file and no folder, and stays here. */
export interface SkippedEntry {
  /** Path in the folder, with `/`. */
  readonly path: string;
  /** A symbolic link, or a socket, pipe or device. */
  readonly what: "link" | "special";
}

/** What is to be sent. */
export interface FolderContent {
  readonly entries: readonly FolderEntry[];
  readonly bytes: number;
  readonly skipped: readonly SkippedEntry[];
  readonly failed: readonly FailedEntry[];
}

/** Whether to leave something out; `path` is relative, with `/`. */
export type ExcludeEntry = (path: string, isFolder: boolean) => boolean;

/**
 * Walks a folder, names in the order of their code units. Links are not followed.
 *
 * @throws {SttError} FILE_IO when the folder itself cannot be read; the signal's reason.
 */
export async function scanFolder(
  root: string,
  exclude: ExcludeEntry,
  signal: AbortSignal | undefined,
): Promise<FolderContent> {
  const scan = new Scan(root, exclude, signal);
  await scan.folder("");
  return scan;
}

class Scan implements FolderContent {
  readonly entries: FolderEntry[] = [];
  readonly skipped: SkippedEntry[] = [];
  readonly failed: FailedEntry[] = [];
  bytes = 0;
  readonly #root: string;
  readonly #exclude: ExcludeEntry;
  readonly #signal: AbortSignal | undefined;

  constructor(root: string, exclude: ExcludeEntry, signal: AbortSignal | undefined) {
    this.#root = root;
    this.#exclude = exclude;
    this.#signal = signal;
  }

  async folder(path: string): Promise<void> {
    this.#signal?.throwIfAborted();
    const names = (await readdir(join(this.#root, path)).catch((cause: unknown) => {
      throw fileError("read", join(this.#root, path), cause);
    })).sort();
    const before = this.entries.length;
    for (let from = 0; from < names.length; from += AT_ONCE) {
      const paths = names.slice(from, from + AT_ONCE)
        .map((name) => path === "" ? name : `${path}/${name}`);
      const facts = await Promise.all(paths.map((inner) => this.#facts(inner)));
      for (const [index, inner] of paths.entries()) await this.#entry(inner, facts[index]);
    }
    if (path !== "" && this.entries.length === before) this.entries.push({ path });
  }

  async #facts(path: string): Promise<Awaited<ReturnType<typeof lstat>> | SttError> {
    try {
      return await lstat(join(this.#root, path));
    } catch (cause) {
      return fileError("read", join(this.#root, path), cause);
    }
  }

  async #entry(
    path: string,
    facts: Awaited<ReturnType<typeof lstat>> | SttError | undefined,
  ): Promise<void> {
    if (facts === undefined || facts instanceof SttError) {
      if (facts !== undefined && !this.#exclude(path, false)) {
        this.failed.push({ path, error: facts });
      }
      return;
    }
    if (this.#exclude(path, facts.isDirectory())) return;
    const fault = folderPathFault(path, false);
    if (fault !== undefined) {
      const error = new SttError("FILE_NAME", `cannot send ${JSON.stringify(path)}: ${fault}`);
      this.failed.push({ path, error });
    } else if (facts.isDirectory()) {
      await this.folder(path).catch((error: unknown) => {
        if (!(error instanceof SttError)) throw error;
        this.failed.push({ path, error });
      });
    } else if (facts.isFile()) {
      const executable = (Number(facts.mode) & OWNER_MAY_EXECUTE) !== 0 && !WINDOWS;
      this.entries.push({ path, size: Number(facts.size), executable });
      this.bytes += Number(facts.size);
    } else {
      this.skipped.push({ path, what: facts.isSymbolicLink() ? "link" : "special" });
    }
  }
}
