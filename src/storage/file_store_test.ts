import assert from "node:assert/strict";
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { withFolder } from "../endpoint/files/folder_for_test.ts";
import { FileStore } from "./file_store.ts";
import { type StoreFileSystem, SYSTEM_FILES } from "./file_system.ts";

const KEY = new Uint8Array([0xab]);

test("files and folders belong to their owner alone", {
  skip: process.platform === "win32" ? "Windows has no such modes" : false,
}, async () => {
  await withFolder(async (parent) => {
    const folder = join(parent, "a", "b");
    const store = await FileStore.open(folder);
    await store.put(KEY, new Uint8Array(3));
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    for (const name of ["ab.stt", "lock"]) {
      assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name);
    }
    await store.close();
  });
});

test("drafts of a process that died are removed; what others put into the folder stays and is not listed", async () => {
  await withFolder(async (folder) => {
    const foreign = ["notes.txt", "AB.stt", "a.stt", ".stt", ".hidden", "00.stt.bak"];
    for (const name of [...foreign, ".00ff00ff00ff00ff00ff00ff.tmp"]) {
      writeFileSync(join(folder, name), "x");
    }
    mkdirSync(join(folder, "folder.stt"));
    const store = await FileStore.open(folder);
    for await (const { key } of store.list()) assert.fail(`listed ${key}`);
    assert.deepEqual(readdirSync(folder).sort(), [...foreign, "folder.stt", "lock"].sort());
    await store.close();
  });
});

test("a folder that cannot be used is FILE_IO with its path", async () => {
  await withFolder(async (parent) => {
    const path = join(parent, "file");
    writeFileSync(path, "");
    await assert.rejects(
      FileStore.open(path),
      (error: { code?: string; message: string }) =>
        error.code === "FILE_IO" && error.message.includes(JSON.stringify(path)),
    );
  });
});

test("a value that cannot be written leaves the old one and no draft", async () => {
  await withFolder(async (folder) => {
    let full = false;
    const files: StoreFileSystem = {
      ...SYSTEM_FILES,
      rename: (from, to) =>
        full ? Promise.reject(new Error("no space left")) : SYSTEM_FILES.rename(from, to),
    };
    const store = await FileStore.open(folder, { files });
    await store.put(KEY, new Uint8Array([1]));
    full = true;
    await assert.rejects(store.put(KEY, new Uint8Array([2])), { code: "FILE_IO" });
    assert.deepEqual(await store.get(KEY), new Uint8Array([1]));
    await store.close();
    assert.deepEqual(readdirSync(folder), ["ab.stt"]);
  });
});
