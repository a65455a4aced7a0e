import { test } from "node:test";
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";

const DENO = "deno" in process.versions;
const PROGRAM = fileURLToPath(
  new URL(`./collected_keys_for_test.${DENO ? "ts" : "js"}`, import.meta.url),
);

test("a collection in the middle of making a key pair does not stop the process", () => {
  // In a process of its own: one that waits for its own lock can only be killed.
  const child = spawnSync(
    process.execPath,
    [...(DENO ? ["run", "-A", "--no-check"] : []), PROGRAM],
    { encoding: "utf8", timeout: 30_000, killSignal: "SIGKILL" },
  );
  assert.deepEqual([child.status, child.signal, child.stdout], [0, null, "done\n"], child.stderr);
});
