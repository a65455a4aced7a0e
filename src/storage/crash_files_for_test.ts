/**
 * A file system in memory that stops at a chosen step, and what is on its disk afterwards.
 *
 * @module
 */
import type { FileFacts, StoreFileSystem } from "./file_system.ts";
import type { LockWorld } from "./file_lock.ts";

/** What survives: the process dies, or the power goes and takes what was not synced along, in two ways. */
export type Survival = "process" | "nothing unsynced" | "names without contents";

export const SURVIVALS: readonly Survival[] = [
  "process",
  "nothing unsynced",
  "names without contents",
];

interface Inode {
  content: Uint8Array;
  synced: Uint8Array;
}

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

/** Thrown by every step from the chosen one on: the process is gone. */
export class Crash extends Error {}

export class CrashFiles implements StoreFileSystem {
  #names: Map<string, Inode> = new Map();
  /** Names as the disk has them. */
  #synced: Map<string, Inode> = new Map();
  /** Steps taken. */
  steps: number = 0;
  /** The step that is not taken any more. */
  stopAt: number = Infinity;

  /** The disk after a crash. */
  survivor(survival: Survival): CrashFiles {
    const next = new CrashFiles();
    const names = survival === "nothing unsynced" ? this.#synced : this.#names;
    const copies = new Map<Inode, Inode>();
    for (const [path, inode] of names) {
      const content = survival === "process" ? inode.content : inode.synced;
      const copy = copies.get(inode) ?? { content, synced: content };
      copies.set(inode, copy);
      next.#names.set(path, copy);
      next.#synced.set(path, copy);
    }
    return next;
  }

  get paths(): string[] {
    return [...this.#names.keys()];
  }

  #step(): void {
    if (this.steps >= this.stopAt) throw new Crash();
    this.steps++;
  }

  async makeFolder(): Promise<void> {}

  async readFile(path: string): Promise<Uint8Array | undefined> {
    await Promise.resolve();
    return this.#names.get(path)?.content.slice();
  }

  async writeNewFile(path: string, bytes: Uint8Array): Promise<void> {
    await Promise.resolve();
    this.#step();
    if (this.#names.has(path)) throw systemError("EEXIST");
    const inode: Inode = { content: new Uint8Array(0), synced: new Uint8Array(0) };
    this.#names.set(path, inode);
    this.#step();
    inode.content = bytes.slice(0, bytes.length >> 1);
    this.#step();
    inode.content = bytes.slice();
    this.#step();
    inode.synced = inode.content;
  }

  async rename(from: string, to: string): Promise<void> {
    await Promise.resolve();
    this.#step();
    const inode = this.#names.get(from);
    if (inode === undefined) throw systemError("ENOENT");
    this.#names.set(to, inode);
    this.#names.delete(from);
  }

  async link(from: string, to: string): Promise<boolean> {
    await Promise.resolve();
    this.#step();
    const inode = this.#names.get(from);
    if (inode === undefined) throw systemError("ENOENT");
    if (this.#names.has(to)) return false;
    this.#names.set(to, inode);
    return true;
  }

  async remove(path: string): Promise<boolean> {
    await Promise.resolve();
    this.#step();
    return this.#names.delete(path);
  }

  async names(path: string): Promise<string[]> {
    await Promise.resolve();
    return this.paths.map((name) => name.slice(path.length + 1));
  }

  async facts(path: string): Promise<FileFacts | undefined> {
    await Promise.resolve();
    const inode = this.#names.get(path);
    return inode === undefined ? undefined : { size: inode.content.length, modified: 0 };
  }

  async syncFolder(): Promise<void> {
    await Promise.resolve();
    this.#step();
    this.#synced = new Map(this.#names);
  }
}

let lastPid = 0;

/** The next process as locks see it: all before it are gone. */
export function nextProcess(): LockWorld {
  const pid = ++lastPid;
  return {
    self: { pid, started: "1", boot: "" },
    isRunning: (other) => Promise.resolve(other.pid === lastPid),
    // Files are from 1970, so whatever is old enough to be removed is.
    now: () => 1e12,
  };
}
