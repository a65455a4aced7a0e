import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { utimes } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { withFolder } from "../endpoint/files/folder_for_test.ts";
import { Prng } from "../testing/prng.ts";
import { CrashFiles } from "./crash_files_for_test.ts";
import { type FolderLock, lockFolder, type LockWorld } from "./file_lock.ts";
import { FileStore } from "./file_store.ts";
import type { StoreFileSystem } from "./file_system.ts";
import { thisProcess } from "./process_identity.ts";

const LOCKED = { code: "STORAGE_LOCKED" };
const ON_DENO = import.meta.url.endsWith(".ts");
const PROGRAM = fileURLToPath(
  new URL(ON_DENO ? "lock_program_for_test.ts" : "lock_program_for_test.js", import.meta.url),
);

test("a folder opens once at a time, also within a process", async () => {
  await withFolder(async (folder) => {
    const store = await FileStore.open(folder);
    await assert.rejects(FileStore.open(folder), LOCKED);
    await store.close();
    await (await FileStore.open(folder)).close();
  });
});

test("the lock names the process that has it", async () => {
  await withFolder(async (folder) => {
    const store = await FileStore.open(folder);
    const { pid, started, boot } = JSON.parse(readFileSync(join(folder, "lock"), "utf8"));
    assert.deepEqual({ pid, started, boot }, await thisProcess());
    assert.equal(pid, process.pid);
    await store.close();
  });
});

test("another process is kept out while the first runs, and let in when it was killed", async () => {
  await withFolder(async (folder) => {
    const runtime = ON_DENO ? ["run", "-A", "--no-check", "--quiet"] : [];
    const child = spawn(process.execPath, [...runtime, PROGRAM, folder], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    await new Promise((resolve) => child.stdout.once("data", resolve));
    await assert.rejects(
      FileStore.open(folder),
      (error: Error) => error.message.endsWith(`process ${child.pid} has it`),
    );
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
    await (await FileStore.open(folder)).close();
  });
});

test("a lock whose pid has been given to another process is taken over", {
  skip: process.platform === "linux" ? false : "only Linux says when another process started",
}, async () => {
  await withFolder(async (folder) => {
    const self = await thisProcess();
    for (
      const stale of [
        { ...self, started: "1" },
        { ...self, boot: "another" },
        { ...self, pid: 2 ** 30 },
      ]
    ) {
      writeFileSync(join(folder, "lock"), JSON.stringify(stale));
      await (await FileStore.open(folder)).close();
    }
    writeFileSync(join(folder, "lock"), JSON.stringify(self));
    await assert.rejects(FileStore.open(folder), LOCKED);
  });
});

test("a lock that cannot be read is one being written until it is older than that takes", async () => {
  await withFolder(async (folder) => {
    for (const content of ["", "{", "null", "{}", '{"pid":-1,"started":"","boot":""}']) {
      writeFileSync(join(folder, "lock"), content);
      await assert.rejects(FileStore.open(folder), LOCKED);
      await utimes(join(folder, "lock"), 1000, 1000);
      await (await FileStore.open(folder)).close();
    }
  });
});

test("where only the pid tells who has a lock, the error says what may be wrong, and it is kept", async () => {
  for (const [boot, hint] of [["this one", false], ["", true]] as const) {
    const files = new CrashFiles();
    const lock = new TextEncoder().encode(JSON.stringify({ pid: 7, started: "1", boot }));
    await files.writeNewFile("f/lock", lock);
    const world: LockWorld = {
      self: { pid: 2, started: "", boot },
      isRunning: () => Promise.resolve(true),
      now: () => 1e15,
    };
    await assert.rejects(lockFolder(files, "f", world), (error: Error) => {
      assert.match(error.message, /^cannot open "f": process 7 has it/);
      assert.equal(error.message.includes(`remove ${JSON.stringify(join("f", "lock"))}`), hint);
      return true;
    });
    assert.deepEqual(await files.readFile("f/lock"), lock);
  }
});

test("copies of a dead lock that lead in a circle are refused, not followed for ever", async () => {
  const dead = new TextEncoder().encode('{"pid":1,"started":"","boot":""}');
  const files = new CrashFiles();
  await files.writeNewFile("f/lock", dead);
  const successor = `lock.${createHash("sha256").update(dead).digest("hex").slice(0, 32)}`;
  await files.writeNewFile(`f/${successor}`, dead);
  let looks = 0;
  const world: LockWorld = {
    self: { pid: 2, started: "", boot: "" },
    isRunning: () => {
      assert.ok(++looks < 1000, "it goes in a circle");
      return Promise.resolve(false);
    },
    now: () => 1e9,
  };
  await assert.rejects(lockFolder(files, "f", world), LOCKED);
  assert.deepEqual((await files.names("f")).sort(), ["lock", successor].sort());
});

/** Files whose every call may be overtaken by others. */
function shuffled(files: CrashFiles, prng: Prng): StoreFileSystem {
  const wait = async (): Promise<void> => {
    for (let i = prng.integer(0, 6); i > 0; i--) await Promise.resolve();
  };
  return {
    makeFolder: () => files.makeFolder(),
    readFile: async (path) => (await wait(), await files.readFile(path)),
    writeNewFile: async (path, bytes) => (await wait(), await files.writeNewFile(path, bytes)),
    rename: async (from, to) => (await wait(), await files.rename(from, to)),
    link: async (from, to) => (await wait(), await files.link(from, to)),
    remove: async (path) => (await wait(), await files.remove(path)),
    names: async (path) => (await wait(), await files.names(path)),
    facts: async (path) => (await wait(), await files.facts(path)),
    syncFolder: async () => (await wait(), await files.syncFolder()),
  };
}

test("of many that wait for a dead process's lock never two get it at once", async () => {
  for (let seed = 1; seed <= 300; seed++) {
    const prng = new Prng(seed);
    const files = new CrashFiles();
    // A chain of two that died while they took over.
    await files.writeNewFile(
      "f/lock",
      new TextEncoder().encode('{"pid":1,"started":"","boot":""}'),
    );
    const gone = new Set([1]);
    let held = 0;
    let taken = 0;
    const contender = async (pid: number): Promise<void> => {
      const world: LockWorld = {
        self: { pid, started: "", boot: "" },
        isRunning: (other) => Promise.resolve(!gone.has(other.pid)),
        now: () => 1e9,
      };
      for (let round = 0; round < 4; round++) {
        let lock: FolderLock;
        try {
          lock = await lockFolder(shuffled(files, prng), "f", world);
        } catch (error) {
          assert.equal(
            (error as { code?: string }).code,
            "STORAGE_LOCKED",
            `seed ${seed}: ${error}`,
          );
          continue;
        }
        held++;
        taken++;
        assert.equal(held, 1, `seed ${seed}: two hold the lock`);
        for (let i = prng.integer(0, 20); i > 0; i--) await Promise.resolve();
        held--;
        if (prng.integer(0, 2) === 0) {
          // Dies with the lock.
          gone.add(pid);
          return;
        }
        await lock.release();
      }
    };
    await Promise.all([2, 3, 4, 5, 6].map(contender));
    assert(taken > 0, `seed ${seed}: nobody got the lock`);
  }
});

test("without hard links the lock still excludes", async () => {
  const files = new CrashFiles();
  files.link = () => Promise.reject(Object.assign(new Error("no links"), { code: "EPERM" }));
  const world = (pid: number, running: boolean): LockWorld => ({
    self: { pid, started: "", boot: "" },
    isRunning: () => Promise.resolve(running),
    now: () => 0,
  });
  const lock = await lockFolder(files, "f", world(1, true));
  await assert.rejects(lockFolder(files, "f", world(2, true)), LOCKED);
  await lock.release();
  await lockFolder(files, "f", world(2, true));
  await lockFolder(files, "f", world(3, false));
  assert.deepEqual(files.paths, ["f/lock"]);
});
