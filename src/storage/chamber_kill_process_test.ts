import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Chamber } from "./chamber.ts";
import { FileStore } from "./file_store.ts";

const ON_DENO = import.meta.url.endsWith(".ts");
const PROGRAM = fileURLToPath(
  new URL(ON_DENO ? "crash_program_for_test.ts" : "crash_program_for_test.js", import.meta.url),
);
const DEADLINE_MS = 60_000;

/** The system calls that change what is on the disk, with all spellings that the runtimes use. */
const CALLS: readonly string[] = [
  "fsync,fdatasync",
  "rename,renameat,renameat2",
  "link,linkat",
  "unlink,unlinkat",
];

function hasStrace(): boolean {
  try {
    // A container may have strace and forbid it to trace.
    execFileSync("strace", ["-f", "-e", "trace=none", "true"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

const skip = process.platform === "linux" && hasStrace()
  ? false
  : "needs strace with the right to trace; chamber_crash_test.ts stops at every step in memory";

/** Runs the program under strace, which kills it at the nth of these calls. Returns what it said. */
function run(folder: string, calls: string, nth: number): Promise<string[]> {
  const runtime = ON_DENO ? ["run", "-A", "--no-check", "--quiet"] : [];
  const child = spawn("strace", [
    ...["-f", "-qq", "-o", "/dev/null", "-e", `trace=${calls}`],
    ...["-e", `inject=${calls}:signal=KILL:when=${nth}`],
    ...[process.execPath, ...runtime, PROGRAM, folder],
  ], {
    // Node makes all calls from one thread, so that the nth call is the nth call.
    env: { ...process.env, UV_THREADPOOL_SIZE: "1", NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "inherit"],
    timeout: DEADLINE_MS,
    killSignal: "SIGKILL",
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => text += chunk);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", () => resolve(text.split("\n").filter((line) => line !== "")));
  });
}

/** Value of `a` after each step. */
const AFTER: Readonly<Record<string, unknown>> = {
  "": undefined,
  put: "first",
  replace: "second",
  remove: undefined,
  rekey: undefined,
};
const ORDER = ["", "put", "replace", "remove", "rekey"];

async function check(folder: string, said: readonly string[], where: string): Promise<void> {
  const last = said.filter((line) => line !== "end").at(-1) ?? "";
  const next = ORDER[ORDER.indexOf(last) + 1] ?? last;
  const store = await FileStore.open(folder);
  const [old, fresh] = [1, 2].map((fill) => new Uint8Array(32).fill(fill)) as [
    Uint8Array,
    Uint8Array,
  ];
  let chamber: Chamber;
  try {
    chamber = await Chamber.open(store, { secret: last === "rekey" ? fresh : old });
  } catch (error) {
    assert.equal((error as { code?: string }).code, "STORAGE_KEY", where);
    assert.equal(last, "remove", `${where}: the secret changed`);
    chamber = await Chamber.open(store, { secret: fresh });
  }
  const value = await chamber.get("a");
  assert([AFTER[last], AFTER[next]].includes(value), `${where}: ${String(value)} after ${last}`);
  await chamber.put("goes on", 1);
  await chamber.verify();
  await store.close();
  // The draft of a lock stays for a minute, as it could be a waiter's.
  const names = readdirSync(folder).filter((name) => !name.startsWith("lock."));
  assert.equal(names.length, 3 + chamber.size, `${where}: ${names}`);
}

/** Kills the program at every call of a kind, until it is not killed any more. */
async function killAtEvery(calls: string): Promise<void> {
  for (let nth = 1;; nth++) {
    const folder = await mkdtemp(join(tmpdir(), "stt-kill-"));
    try {
      const said = await run(folder, calls, nth);
      await check(folder, said, `${calls}, number ${nth}`);
      if (said.includes("end")) return assert(nth > 1, `${calls} is never called`);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

test("killed at any system call, a real writer leaves what it acknowledged", { skip }, async () => {
  await Promise.all(CALLS.map(killAtEvery));
});
