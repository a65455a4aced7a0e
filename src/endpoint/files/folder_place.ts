/**
 * Where a received folder grows: under a hidden name beside its place, and under its own only when it is whole.
 *
 * @module
 */
import { createHash, randomBytes } from "node:crypto";
import { lstat, mkdir, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { toHex } from "../../codec/hex.ts";
import { SttError } from "../../errors.ts";
import { systemCode } from "../../storage/system_error.ts";
import { foldedPath } from "./folder_path.ts";
import { type ResumeLimits, shortName } from "./kept_parts.ts";
import { alreadyExists, syncFolder } from "./publish.ts";
import { fileError } from "./file_error.ts";

const FOLDER_MODE = 0o700;
const KEY_BYTES = 6;
const KEPT = /^\..*\.[0-9a-f]{12}\.[0-9a-f]{12}\.part$/s;
/** Folders that are synced at once. */
const SYNCS_AT_ONCE = 8;

/** The folders that this process fills now. */
const filling: Set<string> = new Set();

/** What {@link FolderPlace.create} needs. */
export interface FolderPlaceOptions {
  readonly directory: string;
  /** It has passed the name rules. */
  readonly name: string;
  /** Into a folder that exists, replacing files of the same names. */
  readonly overwrite: boolean;
  /** What to keep of folders whose transfers broke off. */
  readonly limits: Required<ResumeLimits> | undefined;
  /** Folders in it, at most: one path can name many that were not announced. */
  readonly maxFolders: number;
}

/** One folder that is being received. */
export class FolderPlace {
  /** Where the files go. */
  readonly root: string;
  /** The folder was there before this transfer, and stays whatever comes of it. */
  readonly merging: boolean;
  /** Files may be here already. */
  readonly populated: boolean;
  readonly #path: string;
  readonly #directory: string;
  readonly #limits: Required<ResumeLimits> | undefined;
  readonly #maxFolders: number;
  /** Folders that are known to be folders and no links, and those that are being made; "" is the root. */
  readonly #folders: Map<string, Promise<void>> = new Map([["", Promise.resolve()]]);
  /** Which ones they are, of a folder that others may change. */
  readonly #identities: Map<string, Identity> = new Map();

  private constructor(root: string, merging: boolean, adopted: boolean, from: FolderPlaceOptions) {
    this.root = root;
    this.merging = merging;
    this.populated = merging || adopted;
    this.#directory = from.directory;
    this.#path = join(from.directory, from.name);
    this.#limits = from.limits;
    this.#maxFolders = from.maxFolders;
    if (!merging) filling.add(root);
  }

  /** @throws {SttError} FILE_EXISTS, FILE_IO. */
  static async create(options: FolderPlaceOptions): Promise<FolderPlace> {
    const { directory, name, overwrite, limits } = options;
    const path = join(directory, name);
    const facts = await factsOf(path);
    if (facts !== undefined) {
      // A link could lead anywhere, so only a folder itself is filled.
      if (!overwrite || !facts.isDirectory()) throw alreadyExists(path);
      const place = new FolderPlace(path, true, false, options);
      await place.#identify("");
      return place;
    }
    const key = createHash("sha256").update(`folder\0${name}`).digest().subarray(0, KEY_BYTES);
    const stem = `.${shortName(name)}.${toHex(key)}`;
    const root = join(directory, `${stem}.${toHex(randomBytes(KEY_BYTES))}.part`);
    try {
      const adopted = limits !== undefined && await adopt(directory, stem, root, limits);
      if (!adopted) await mkdir(root, { mode: FOLDER_MODE });
      return new FolderPlace(root, false, adopted, options);
    } catch (cause) {
      throw fileError("create", path, cause);
    }
  }

  /** Makes a folder in the root, and those that it is in. @throws {SttError} FILE_EXISTS, FILE_IO, FILE_TOO_LARGE. */
  folder(path: string): Promise<void> {
    let made = this.#folders.get(path);
    if (made === undefined) {
      if (this.#folders.size > this.#maxFolders) return Promise.reject(tooMany(this.#maxFolders));
      made = this.#make(path);
      this.#folders.set(path, made);
      // What could not be made is not there to be synced.
      made.catch(() => void this.#folders.delete(path));
    }
    return made;
  }

  async #make(path: string): Promise<void> {
    await this.folder(parentOf(path));
    const full = join(this.root, path);
    try {
      await mkdir(full, { mode: FOLDER_MODE });
    } catch (cause) {
      if (systemCode(cause) !== "EEXIST") throw fileError("create", full, cause);
      // A link here would lead out of the folder.
      if ((await factsOf(full))?.isDirectory() !== true) throw alreadyExists(full);
    }
    if (!this.merging) return;
    await this.#identify(path);
    await this.stands(parentOf(path));
  }

  async #identify(path: string): Promise<void> {
    const full = join(this.root, path);
    try {
      const facts = await lstat(full, { bigint: true });
      if (!facts.isDirectory()) throw alreadyExists(full);
      this.#identities.set(path, { dev: facts.dev, ino: facts.ino });
    } catch (cause) {
      throw fileError("create", full, cause);
    }
  }

  /**
   * Looks whether a folder is the one that was looked at first. The runtimes cannot open a file within a folder that is
   * open, so its path may lead elsewhere at any moment: a file is opened before this look, and gets its name behind it.
   *
   * @throws {SttError} FILE_IO where another one stands in its place, or a link.
   */
  async stands(path: string): Promise<void> {
    const known = this.#identities.get(path);
    if (known === undefined) return;
    const full = join(this.root, path);
    const now = await stat(full, { bigint: true }).catch((cause: unknown) => {
      throw fileError("write in", full, cause);
    });
    if (now.dev === known.dev && now.ino === known.ino) return;
    throw new SttError(
      "FILE_IO",
      `cannot write in ${JSON.stringify(full)}: another folder took its place meanwhile`,
    );
  }

  /**
   * Everything is there: the folder gets its name.
   *
   * @param listed Whether the sender named an entry, by its folded path; what it did not is of an earlier transfer.
   * @throws {SttError} FILE_EXISTS, FILE_IO.
   */
  async publish(listed: (folded: string) => boolean): Promise<string> {
    try {
      if (this.populated && !this.merging) await this.#prune("", listed);
      const folders = [...this.#folders.keys()].map((path) => join(this.root, path));
      await Promise.all(Array.from({ length: SYNCS_AT_ONCE }, async () => {
        for (let path = folders.pop(); path !== undefined; path = folders.pop()) {
          await syncFolder(path);
        }
      }));
      if (this.merging) return this.#path;
      // Of what came into being meanwhile, the system lets an empty folder alone be replaced.
      if (await factsOf(this.#path) !== undefined) throw alreadyExists(this.#path);
      await rename(this.root, this.#path);
    } catch (cause) {
      throw fileError("create", this.#path, cause);
    }
    filling.delete(this.root);
    await syncFolder(this.#directory);
    return this.#path;
  }

  /** True when the sender named something in the folder. */
  async #prune(path: string, listed: (folded: string) => boolean): Promise<boolean> {
    let used = path === "" || listed(foldedPath(path));
    for (const entry of await readdir(join(this.root, path), { withFileTypes: true })) {
      const inner = path === "" ? entry.name : `${path}/${entry.name}`;
      const keep = entry.isDirectory()
        ? await this.#prune(inner, listed)
        : listed(foldedPath(inner));
      if (keep) used = true;
      else await rm(join(this.root, inner), { recursive: true, force: true });
    }
    return used;
  }

  /** Leaves nothing of a folder that was not there before. Never rejects. */
  async discard(): Promise<void> {
    if (this.merging) return;
    await rm(this.root, { recursive: true, force: true }).catch(() => undefined);
    filling.delete(this.root);
  }

  /** Leaves what came to a later transfer, where that was asked for. Never rejects. */
  async keep(): Promise<void> {
    if (this.#limits === undefined) return await this.discard();
    if (this.merging) return;
    const now = new Date();
    await utimes(this.root, now, now).catch(() => undefined);
    filling.delete(this.root);
    await sweep(this.#directory, this.#limits);
  }
}

/** What a folder is, wherever it is moved to. */
interface Identity {
  readonly dev: bigint;
  readonly ino: bigint;
}

function tooMany(limit: number): SttError {
  return new SttError("FILE_TOO_LARGE", `cannot take folder: more than ${limit} folders in it`, {
    limit,
  });
}

/** The folder that a path is in; "" for the root. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

async function factsOf(path: string): Promise<Awaited<ReturnType<typeof lstat>> | undefined> {
  try {
    return await lstat(path);
  } catch (cause) {
    if (systemCode(cause) === "ENOENT") return undefined;
    throw fileError("create", path, cause);
  }
}

interface KeptFolder {
  readonly name: string;
  readonly path: string;
  readonly mtimeMs: number;
}

async function keptIn(directory: string): Promise<KeptFolder[]> {
  const kept: KeptFolder[] = [];
  // A folder may be writable and not readable: then nothing is found.
  const found = await readdir(directory, { withFileTypes: true }).catch(() => []);
  for (const entry of found) {
    if (!entry.isDirectory() || !KEPT.test(entry.name)) continue;
    const path = join(directory, entry.name);
    const facts = await factsOf(path).catch(() => undefined);
    if (facts !== undefined) kept.push({ name: entry.name, path, mtimeMs: Number(facts.mtimeMs) });
  }
  return kept.sort((a, b) => b.mtimeMs - a.mtimeMs);
}

/**
 * Takes over what an earlier transfer left. One that nobody told yet that its session is over loses its folder by this:
 * whatever it still writes fails.
 */
async function adopt(
  directory: string,
  stem: string,
  root: string,
  limits: Required<ResumeLimits>,
): Promise<boolean> {
  await sweep(directory, limits);
  for (const { name, path } of await keptIn(directory)) {
    if (!name.startsWith(`${stem}.`)) continue;
    // Whoever was faster has it.
    const taken = await rename(path, root).then(() => true, () => false);
    filling.delete(path);
    if (taken) return true;
  }
  return false;
}

async function sweep(
  directory: string,
  { maxAge, maxFiles }: Required<ResumeLimits>,
): Promise<void> {
  let count = 0;
  for (const { path, mtimeMs } of await keptIn(directory)) {
    if (filling.has(path)) continue;
    // A clock that was set back must not keep folders for ever.
    if (++count <= maxFiles && Math.abs(Date.now() - mtimeMs) <= maxAge) continue;
    await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}
