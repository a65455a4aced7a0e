/**
 * The system's files through blocking calls, which all come from the main thread: whoever counts system calls sees them
 * in order.
 *
 * @module
 */
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { type StoreFileSystem, SYSTEM_FILES } from "./file_system.ts";
import { systemCode } from "./system_error.ts";

/** False when the call fails with `code`. */
function unless(code: string, act: () => void): Promise<boolean> {
  return new Promise((resolve) => {
    try {
      act();
      resolve(true);
    } catch (error) {
      if (systemCode(error) !== code) throw error;
      resolve(false);
    }
  });
}

async function inFile(path: string, flags: string, act: (file: number) => void): Promise<void> {
  await unless("", () => {
    const file = openSync(path, flags, 0o600);
    act(file);
    fsyncSync(file);
    closeSync(file);
  });
}

export const SYNC_FILES: StoreFileSystem = {
  ...SYSTEM_FILES,
  async makeFolder(path) {
    await unless("EEXIST", () => mkdirSync(path, { recursive: true, mode: 0o700 }));
  },
  writeNewFile: (path, bytes) =>
    inFile(path, "wx", (file) => {
      writeSync(file, bytes);
    }),
  async rename(from, to) {
    await unless("", () => renameSync(from, to));
  },
  link: (from, to) => unless("EEXIST", () => linkSync(from, to)),
  remove: (path) => unless("ENOENT", () => unlinkSync(path)),
  syncFolder: (path) => inFile(path, "r", () => undefined),
};
