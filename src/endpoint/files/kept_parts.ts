/**
 * What is kept of files whose transfers broke off: under which names, how much, and for how long.
 *
 * A part has three kinds of names. `.NAME.RANDOM.part` is being written and will never be kept. `.NAME.KEY.RANDOM.part` is
 * being written, or its process was killed: nobody but its writer may change it. `.NAME.KEY.kept.part` was closed by its
 * writer, and belongs to whoever renames it first. KEY stands for name and size, RANDOM for one transfer.
 *
 * @module
 */
import { createHash, randomBytes } from "node:crypto";
import { constants, copyFile, lstat, readdir, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import { toHex } from "../../codec/hex.ts";
import { SttError } from "../../errors.ts";
import { systemCode } from "../../storage/system_error.ts";

/** Leaves room for the dots, the key, the random part and the ending within the 255 bytes of a name. */
const PART_NAME_BYTES = 200;
const KEY_BYTES = 6;
const RANDOM_BYTES = 6;
const KEEPABLE = /^\..*\.[0-9a-f]{12}\.(kept|[0-9a-f]{12})\.part$/s;
/** Such a file would be taken for a part, on systems that do not tell case apart too. */
const RESERVED = /^\..*\.[0-9a-f]{12}\.(kept|[0-9a-f]{12})\.part$/is;
/**
 * Transfers of one file that may each have a copy of what came: the one that nobody told yet that its session is over,
 * and the next one. A peer that offers a file again and again while it comes would fill the disk with a word each.
 */
const COPIES = 2;
/** What is sent again in an instant is not worth a file. */
const MIN_BYTES = 1_048_576;

/** How much is kept in one folder of files whose transfers broke off. */
export interface ResumeLimits {
  /** Milliseconds. Older ones are removed. Default 86400000, a day. */
  readonly maxAge?: number;
  /** Files; the oldest go first. Default 16. */
  readonly maxFiles?: number;
  /** Bytes of all of them; the oldest go first. Default: no limit but the disk's. */
  readonly maxBytes?: number;
}

/** @throws {SttError} CONFIG. */
export function resumeLimits(
  option: boolean | ResumeLimits | undefined,
): Required<ResumeLimits> | undefined {
  if (option === undefined || option === false) return undefined;
  const limits = { maxAge: 86_400_000, maxFiles: 16, maxBytes: Infinity };
  const given = option === true ? {} : option;
  for (const name of ["maxAge", "maxFiles", "maxBytes"] as const) {
    const value = given[name];
    if (value === undefined) continue;
    if (!(value >= 0)) {
      throw new SttError("CONFIG", `cannot use option resume.${name}: ${value} is not 0 or above`);
    }
    limits[name] = value;
  }
  return limits;
}

/** Whether a file of this size is worth going on with. */
export function resumable(size: number | null): size is number {
  return size !== null && size >= MIN_BYTES;
}

/** Whether a file of this name, which a peer chose, would be counted, taken over and removed as a part. */
export function isPartName(name: string): boolean {
  return RESERVED.test(name);
}

/** The parts that this process writes now. */
const writing: Set<string> = new Set();

/** So much of a name as fits into that of a part. */
export function shortName(name: string): string {
  let short = name;
  const encoder = new TextEncoder();
  while (encoder.encode(short).length > PART_NAME_BYTES) short = [...short].slice(0, -1).join("");
  return short;
}

/** Where one transfer writes. */
export class PartPlace {
  readonly #directory: string;
  /** What the names of all parts of this file begin with; undefined when it is never kept. */
  readonly #stem: string | undefined;
  /** Of this transfer alone. */
  readonly path: string;

  constructor(directory: string, name: string, size: number | undefined) {
    const short = shortName(name);
    this.#directory = directory;
    if (size === undefined) {
      this.#stem = undefined;
    } else {
      const key = createHash("sha256").update(`${size}\0${name}`).digest().subarray(0, KEY_BYTES);
      this.#stem = `.${short}.${toHex(key)}`;
    }
    const random = toHex(randomBytes(RANDOM_BYTES));
    this.path = join(directory, `${this.#stem ?? `.${short}`}.${random}.part`);
    writing.add(this.path);
  }

  get #keptPath(): string {
    return join(this.#directory, `${this.#stem}.kept.part`);
  }

  /** Transfers of this file that this process writes now, with this one. */
  get #writers(): number {
    const stem = join(this.#directory, `${this.#stem}.`);
    let count = 0;
    for (const path of writing) if (path.startsWith(stem)) count++;
    return count;
  }

  /** Nothing is written here any more. */
  leave(): void {
    writing.delete(this.path);
  }

  /**
   * Puts what an earlier transfer left of the same file at `path`. What was closed in order is taken over; of what may
   * still have a writer this is a copy, because two writers of one file could leave anything in it.
   *
   * @returns undefined when there is nothing; else what to call once both sides know whether it is of use.
   */
  async adopt(limits: Required<ResumeLimits>): Promise<(() => Promise<void>) | undefined> {
    try {
      await rename(this.#keptPath, this.path);
      return () => Promise.resolve();
    } catch (cause) {
      if (systemCode(cause) !== "ENOENT") return undefined;
    }
    await sweep(this.#directory, limits);
    if (this.#writers > COPIES) return undefined;
    const orphan = await this.#largestOrphan();
    if (orphan === undefined) return undefined;
    try {
      const { COPYFILE_EXCL, COPYFILE_FICLONE } = constants;
      await copyFile(orphan, this.path, COPYFILE_EXCL | COPYFILE_FICLONE);
    } catch {
      // No space for two of them, most likely: the file comes from its beginning.
      await unlink(this.path).catch(() => undefined);
      return undefined;
    }
    return async () => {
      if (!writing.has(orphan)) await unlink(orphan).catch(() => undefined);
    };
  }

  /** Closed, and of use to a later transfer. Of two that break off, the later one is kept. */
  async keep(limits: Required<ResumeLimits>): Promise<void> {
    await rename(this.path, this.#keptPath);
    await sweep(this.#directory, limits);
  }

  /** The whole file is there: what an earlier transfer left of it is of no use. */
  async forget(): Promise<void> {
    if (this.#stem !== undefined) await unlink(this.#keptPath).catch(() => undefined);
  }

  async #largestOrphan(): Promise<string | undefined> {
    let best: { readonly path: string; readonly size: number } | undefined;
    for (const part of await partsIn(this.#directory)) {
      if (part.kept || !part.name.startsWith(`${this.#stem}.`)) continue;
      if (part.size > (best?.size ?? 0)) best = part;
    }
    return best?.path;
  }
}

interface Part {
  readonly name: string;
  readonly path: string;
  readonly kept: boolean;
  readonly size: number;
  readonly mtimeMs: number;
}

async function partsIn(directory: string): Promise<Part[]> {
  const parts: Part[] = [];
  // A folder may be writable and not readable: then nothing is found.
  for (const name of await readdir(directory).catch(() => [])) {
    const kind = KEEPABLE.exec(name)?.[1];
    if (kind === undefined) continue;
    const path = join(directory, name);
    const facts = await lstat(path).catch(() => undefined);
    if (facts?.isFile() !== true) continue;
    parts.push({ name, path, kept: kind === "kept", size: facts.size, mtimeMs: facts.mtimeMs });
  }
  return parts;
}

/** Removes what is too old, whoever left it, and what is too much of what was kept. */
async function sweep(
  directory: string,
  { maxAge, maxFiles, maxBytes }: Required<ResumeLimits>,
): Promise<void> {
  const parts = (await partsIn(directory)).sort((a, b) => b.mtimeMs - a.mtimeMs);
  let files = 0;
  let bytes = 0;
  for (const { path, kept, size, mtimeMs } of parts) {
    if (writing.has(path)) continue;
    if (kept) {
      files++;
      bytes += size;
    }
    // A clock that was set back must not keep files for ever.
    const old = Math.abs(Date.now() - mtimeMs) > maxAge;
    if (old || kept && (files > maxFiles || bytes > maxBytes)) {
      await unlink(path).catch(() => undefined);
    }
  }
}
