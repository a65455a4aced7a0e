/**
 * Changes a chamber in the folder that is its argument and says what is done: for the test that kills it.
 *
 * @module
 */
import { writeSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { Chamber } from "./chamber.ts";
import { FileStore } from "./file_store.ts";
import { type StoreFileSystem, SYSTEM_FILES } from "./file_system.ts";
import type { StorageProvider } from "./provider.ts";
import { SqliteStore } from "./sqlite_store.ts";
import { SYNC_FILES } from "./sync_files_for_test.ts";

/** strace counts by thread. Node makes all calls from one, as the test asks it to; Deno takes any of several. */
const FILES = process.versions.deno === undefined ? SYSTEM_FILES : SYNC_FILES;

/** The values that it writes: of several pages of a database, which are several calls. */
export const FIRST: string = "first ".repeat(4000);
export const SECOND: string = "second ".repeat(4000);

/** Providers that are killed. */
export type StoreKind = "files" | "sqlite";

/** Opens the store that the program writes, in a folder. */
export async function openStore(
  kind: StoreKind,
  folder: string,
  files?: StoreFileSystem,
): Promise<StorageProvider> {
  if (kind === "sqlite") return await SqliteStore.open(join(folder, "store.db"));
  return await FileStore.open(folder, files === undefined ? {} : { files });
}

async function main(folder: string, kind: StoreKind): Promise<void> {
  const store = await openStore(kind, folder, FILES);
  const chamber = await Chamber.open(store, { secret: new Uint8Array(32).fill(1) });
  const step = async (name: string, act: () => Promise<unknown>): Promise<void> => {
    await act();
    writeSync(1, `${name}\n`);
  };
  await step("keep", () => chamber.put("b", "kept"));
  await step("put", () => chamber.put("a", FIRST));
  await step("replace", () => chamber.put("a", SECOND));
  await step("remove", () => chamber.delete("a"));
  await step("rekey", () => chamber.rekey(new Uint8Array(32).fill(2)));
  await chamber.close();
  await store.close();
  writeSync(1, "end\n");
}

const [program, folder, kind] = process.argv.slice(1);
if (program?.includes("crash_program_for_test") && folder !== undefined) {
  await main(folder, kind as StoreKind);
}
