import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { storageProviderCases } from "../testing/storage_cases.ts";
import { FileStore } from "./file_store.ts";
import { MemoryStore } from "./memory_store.ts";
import type { StorageProvider } from "./provider.ts";

const root = mkdtempSync(join(tmpdir(), "stt-provider-"));
after(() => rmSync(root, { recursive: true }));

const folders: WeakMap<StorageProvider, string> = new WeakMap();

async function openFiles(folder: string): Promise<StorageProvider> {
  const store = await FileStore.open(folder);
  folders.set(store, folder);
  return store;
}

for (
  const { name, run } of storageProviderCases({ open: () => Promise.resolve(new MemoryStore()) })
) {
  test(`memory: ${name}`, run);
}

for (
  const { name, run } of storageProviderCases({
    open: () => openFiles(mkdtempSync(join(root, "files-"))),
    reopen: (store) => openFiles(folders.get(store) as string),
  })
) {
  test(`files: ${name}`, run);
}
