/**
 * One process at a time has a folder open: a lock file with the process that holds it (SPEC 14.7).
 *
 * A lock of a dead process is never removed by those who wait: removing could hit a lock that somebody took a moment
 * ago. Instead a waiter creates the one file whose name follows from the dead lock's content, which only one of them
 * can; then it puts its own lock in the dead one's place.
 *
 * @module
 */
import { join } from "node:path";
import { toHex } from "../codec/hex.ts";
import { nodeProvider } from "../crypto/node_provider.ts";
import { SttError } from "../errors.ts";
import type { StoreFileSystem } from "./file_system.ts";
import { isRunning, type ProcessIdentity, thisProcess } from "./process_identity.ts";
import { systemCode } from "./system_error.ts";

const LOCK_NAME = "lock";
/** Others may take a lock in the moment between a look and a try; more often than this is no accident. */
const ATTEMPTS = 32;
/** Each link of the chain died while it took the lock over; copies of lock files may lead in a circle. */
const MAX_CHAIN = 32;
/** A lock without a readable holder is one that is being written, or was when its writer died. */
const UNREADABLE_MS = 5000;
const OLD_MS = 60_000;

/** A lock held by this process. */
export interface FolderLock {
  /** Lets others in. */
  release(): Promise<void>;
}

/** How a lock finds out about processes; tests have their own. */
export interface LockWorld {
  /** This process. */
  readonly self: ProcessIdentity;
  /** Whether that very process still runs. */
  isRunning(process: ProcessIdentity): Promise<boolean>;
  /** Unix milliseconds. */
  now(): number;
}

async function systemWorld(): Promise<LockWorld> {
  return { self: await thisProcess(), isRunning, now: Date.now };
}

/**
 * Locks a folder that exists.
 *
 * @throws {SttError} STORAGE_LOCKED when a running process has it.
 */
export async function lockFolder(
  files: StoreFileSystem,
  folder: string,
  world?: LockWorld,
): Promise<FolderLock> {
  const lock = new LockFile(files, folder, world ?? await systemWorld());
  await lock.acquire();
  return lock;
}

class LockFile implements FolderLock {
  readonly #files: StoreFileSystem;
  readonly #folder: string;
  readonly #world: LockWorld;
  readonly #content: Uint8Array;
  readonly #draft: string;

  constructor(files: StoreFileSystem, folder: string, world: LockWorld) {
    this.#files = files;
    this.#folder = folder;
    this.#world = world;
    const token = toHex(nodeProvider().randomBytes(16));
    this.#content = new TextEncoder().encode(`${JSON.stringify({ ...world.self, token })}\n`);
    this.#draft = `${LOCK_NAME}.${token}.tmp`;
  }

  async acquire(): Promise<void> {
    await this.#files.writeNewFile(this.#path(this.#draft), this.#content);
    try {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        if (await this.#try()) return;
      }
      throw locked(this.#folder, "other processes keep taking it");
    } finally {
      await this.#files.remove(this.#path(this.#draft));
    }
  }

  async release(): Promise<void> {
    const found = await this.#files.readFile(this.#path(LOCK_NAME));
    // Somebody who removed the file by hand may have let another process in.
    if (found !== undefined && same(found, this.#content)) {
      await this.#files.remove(this.#path(LOCK_NAME));
    }
  }

  /** Follows the chain from the lock to its last successor, and takes the place behind it. */
  async #try(): Promise<boolean> {
    const chain: string[] = [];
    for (let name = LOCK_NAME;;) {
      if (await this.#create(name)) return chain.length === 0 || await this.#takeOver(chain, name);
      const content = await this.#files.readFile(this.#path(name));
      // Released between the two looks.
      if (content === undefined) return false;
      await this.#refuseRunning(name, content);
      if (chain.length >= MAX_CHAIN) {
        throw locked(
          this.#folder,
          `more than ${MAX_CHAIN} lock files of dead processes follow each other`,
        );
      }
      chain.push(name);
      name = successorOf(content);
    }
  }

  /** Exclusive, and with its content from the first moment on, where the file system has links. */
  async #create(name: string): Promise<boolean> {
    try {
      return await this.#files.link(this.#path(this.#draft), this.#path(name));
    } catch (error) {
      const code = systemCode(error);
      if (code !== "EPERM" && code !== "ENOTSUP" && code !== "ENOSYS" && code !== "EMLINK") {
        throw error;
      }
    }
    try {
      await this.#files.writeNewFile(this.#path(name), this.#content);
      return true;
    } catch (error) {
      if (systemCode(error) === "EEXIST") return false;
      throw error;
    }
  }

  /** The chain must still lead here: its holders remove it from its beginning. */
  async #takeOver(chain: readonly string[], own: string): Promise<boolean> {
    let expected = LOCK_NAME;
    for (const name of chain) {
      const content = name === expected ? await this.#files.readFile(this.#path(name)) : undefined;
      if (content === undefined) {
        await this.#files.remove(this.#path(own));
        return false;
      }
      expected = successorOf(content);
    }
    if (expected !== own) {
      await this.#files.remove(this.#path(own));
      return false;
    }
    await this.#files.rename(this.#path(this.#draft), this.#path(LOCK_NAME));
    for (const name of [...chain.slice(1), own]) await this.#files.remove(this.#path(name));
    return true;
  }

  async #refuseRunning(name: string, content: Uint8Array): Promise<void> {
    const holder = parseHolder(content);
    if (holder === undefined) {
      const facts = await this.#files.facts(this.#path(name));
      if (facts !== undefined && this.#world.now() - facts.modified < UNREADABLE_MS) {
        throw locked(this.#folder, "a process is taking it");
      }
      return;
    }
    if (!await this.#world.isRunning(holder)) return;
    // To take any other sign than the pid for a death (an old heartbeat, a clock that was set) would let two in: one that
    // was suspended goes on.
    const unsure = holder.boot === ""
      ? `, or another one that has its number now: then remove ${JSON.stringify(this.#path(name))}`
      : "";
    throw locked(this.#folder, `process ${holder.pid} has it${unsure}`);
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }
}

/** Left behind by a process that died while it took the lock: a lock that leads nowhere, or its draft. */
export async function removeOldLocks(
  files: StoreFileSystem,
  folder: string,
  now: number,
): Promise<void> {
  for (const name of await files.names(folder)) {
    if (!name.startsWith(`${LOCK_NAME}.`)) continue;
    const facts = await files.facts(join(folder, name));
    // A younger one may be the draft of a process that is about to find the folder taken.
    if (facts !== undefined && now - facts.modified > OLD_MS) {
      await files.remove(join(folder, name));
    }
  }
}

function locked(folder: string, reason: string): SttError {
  return new SttError("STORAGE_LOCKED", `cannot open ${JSON.stringify(folder)}: ${reason}`);
}

function successorOf(content: Uint8Array): string {
  return `${LOCK_NAME}.${toHex(nodeProvider().sha256(content)).slice(0, 32)}`;
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

function parseHolder(content: Uint8Array): ProcessIdentity | undefined {
  try {
    const { pid, started, boot } = JSON.parse(new TextDecoder().decode(content));
    if (!Number.isInteger(pid) || pid <= 0) return undefined;
    if (typeof started !== "string" || typeof boot !== "string") return undefined;
    return { pid, started, boot };
  } catch {
    return undefined;
  }
}
