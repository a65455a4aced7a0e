import { test } from "node:test";
import assert from "node:assert/strict";
import process from "node:process";
import { runWatched } from "./watched_command.ts";

const NO_LIMIT = { silenceMs: 300_000, memoryBytes: 2 ** 40 };

test("a command that ends by itself gives its exit code", async () => {
  const exit = await runWatched(process.execPath, ["eval", "Deno.exit(3)"], ".", NO_LIMIT);
  assert.deepEqual(exit, { code: 3, stopped: undefined });
});

test("a command that falls silent is ended", async () => {
  const code = "setInterval(() => {}, 1000)";
  const watch = { ...NO_LIMIT, silenceMs: 300 };
  const exit = await runWatched(process.execPath, ["eval", code], ".", watch);
  assert.equal(exit.code, 1);
  assert.match(exit.stopped ?? "", /^no output for 0.3 s/);
});

test("a command that takes too much memory is ended", {
  skip: process.platform === "linux" ? false : "memory is watched on Linux only",
}, async () => {
  const code = "setInterval(() => {}, 1000)";
  const watch = { ...NO_LIMIT, memoryBytes: 1 };
  const exit = await runWatched(process.execPath, ["eval", code], ".", watch);
  assert.equal(exit.code, 1);
  assert.match(exit.stopped ?? "", /MiB of memory/);
});
