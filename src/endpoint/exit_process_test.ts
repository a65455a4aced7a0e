import { test } from "node:test";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { NETS } from "./joined_for_test.ts";

const DENO = "deno" in process.versions;
const PROGRAM = fileURLToPath(
  new URL(`./exit_program_for_test.${DENO ? "ts" : "js"}`, import.meta.url),
);

/** Milliseconds from the last close of the child to its end. */
async function lingering(...args: string[]): Promise<number> {
  const child = spawn(
    process.execPath,
    [...(DENO ? ["run", "-A", "--no-check"] : []), PROGRAM, ...args],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let out = "";
  let err = "";
  let closedAt = 0;
  child.stdout.on("data", (chunk) => {
    out += chunk;
    if (out.includes("closed\n")) closedAt = performance.now();
  });
  child.stderr.on("data", (chunk) => err += chunk);
  const killer = setTimeout(() => child.kill("SIGKILL"), 30_000);
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    child.on("close", (...how) => resolve(how));
  });
  clearTimeout(killer);
  assert.deepEqual([code, signal], [0, null], `${args.join(" ")}\n${out}${err}`);
  assert.ok(closedAt > 0, out);
  return performance.now() - closedAt;
}

/** What stays open lasts in every run; a busy machine is slow in one of them. */
async function endsInTime(...args: string[]): Promise<void> {
  let best = Infinity;
  for (let run = 0; run < 3 && best >= 2_000; run++) {
    best = Math.min(best, await lingering(...args));
  }
  assert.ok(best < 2_000, `it took ${Math.round(best)} ms at best`);
}

for (const net of NETS) {
  test(
    `${net.name}: a process ends by itself after its last close`,
    net.skip ? { skip: net.skip } : {},
    async () => {
      await endsInTime(net.address());
    },
  );
}

if (DENO) {
  test("native ws: a process ends by itself after its last close", async () => {
    await endsInTime("ws://127.0.0.1:0/", "native");
  });
}
