/**
 * Kills a real writer of a chamber at system calls of a kind, and looks at what it leaves.
 *
 * @module
 */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { Chamber } from "./chamber.ts";
import { FIRST, openStore, SECOND, type StoreKind } from "./crash_program_for_test.ts";

const ON_DENO = import.meta.url.endsWith(".ts");
const PROGRAM = fileURLToPath(
  new URL(ON_DENO ? "crash_program_for_test.ts" : "crash_program_for_test.js", import.meta.url),
);
const DEADLINE_MS = 60_000;

function hasStrace(): boolean {
  try {
    // A container may have strace and forbid it to trace.
    execFileSync("strace", ["-f", "-e", "trace=none", "true"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Why a test that kills cannot run here, or false. */
export const skip: string | false = process.platform === "linux" && hasStrace()
  ? false
  : "needs strace with the right to trace; chamber_crash_test.ts stops at every step in memory";

/** Runs the program under strace, which kills it at the nth of these calls. Returns what it said. */
function run(folder: string, kind: StoreKind, calls: string, nth: number): Promise<string[]> {
  const runtime = ON_DENO ? ["run", "-A", "--no-check", "--quiet"] : [];
  const child = spawn("strace", [
    ...["-f", "-qq", "-o", "/dev/null", "-e", `trace=${calls}`],
    ...["-e", `inject=${calls}:signal=KILL:when=${nth}`],
    ...[process.execPath, ...runtime, PROGRAM, folder, kind],
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
  keep: undefined,
  put: FIRST,
  replace: SECOND,
  remove: undefined,
  rekey: undefined,
};
const ORDER = ["", "keep", "put", "replace", "remove", "rekey"];

/** Opens what the program left. @returns The names of the files without the chamber's records. */
async function check(
  folder: string,
  kind: StoreKind,
  said: readonly string[],
  where: string,
): Promise<number> {
  const last = said.filter((line) => line !== "end").at(-1) ?? "";
  const next = ORDER[ORDER.indexOf(last) + 1] ?? last;
  const store = await openStore(kind, folder);
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
  assert(
    [AFTER[last], AFTER[next]].includes(value),
    `${where}: ${String(value).slice(0, 6)} after ${last}`,
  );
  const kept = await chamber.get("b");
  assert(kept === "kept" || (last === "" && kept === undefined), `${where}: kept after ${last}`);
  await chamber.put("goes on", 1);
  await chamber.verify();
  await store.close();
  return chamber.size;
}

/**
 * Kills the program at calls of a kind until it is not killed any more.
 *
 * @param step 1: at every call; 3: at every third.
 * @param look at the folder afterwards, and the number of values in the chamber.
 */
export async function killAt(
  kind: StoreKind,
  calls: string,
  step: number,
  look: (folder: string, values: number, where: string) => void = () => undefined,
): Promise<void> {
  for (let nth = 1;; nth += step) {
    const folder = await mkdtemp(join(tmpdir(), "stt-kill-"));
    try {
      const where = `${calls}, number ${nth}`;
      const said = await run(folder, kind, calls, nth);
      look(folder, await check(folder, kind, said, where), where);
      if (said.includes("end")) return assert(nth > 1, `${calls} is never called`);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}
