import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { withFolder } from "../endpoint/files/folder_for_test.ts";
import { commandLine, eventually, withChildren } from "./child_for_test.ts";

const SEED = "5".repeat(64);

test("what one process seals live, another one opens before the end", async () => {
  const start = (args: readonly string[]) => {
    const [program, rest] = commandLine(args);
    return spawn(program, rest, {
      env: { ...process.env, STT_SEED: SEED },
      stdio: ["pipe", "pipe", "ignore"],
    });
  };
  const [sealer, opener] = [start(["seal", "-", "--live"]), start(["open", "-"])];
  const ended = Promise.all(
    [sealer, opener].map((child) => new Promise((resolve) => child.once("exit", resolve))),
  );
  sealer.stdout.pipe(opener.stdin);
  const opened = opener.stdout.setEncoding("utf8")[Symbol.asyncIterator]();
  for (const text of ["first", "second"]) {
    sealer.stdin.write(text);
    assert.deepEqual(await opened.next(), { done: false, value: text });
  }
  sealer.stdin.end();
  assert.equal((await opened.next()).done, true);
  assert.deepEqual(await ended, [0, 0]);
});

test("a signal ends seal in order and leaves nothing behind", {
  skip: process.platform === "win32" ? "Windows has no signals to send" : false,
}, async () => {
  await withFolder(async (folder) => {
    await withChildren(async (start) => {
      const child = start(["seal", "-", "--out", join(folder, "x.stts")], {
        seed: SEED,
        stdin: true,
      });
      await eventually(
        () => Promise.resolve(readdirSync(folder).length > 0 ? true : undefined),
        "hidden file",
      );
      child.kill("SIGINT");
      assert.equal(await child.exit(), 130);
      assert.deepEqual(readdirSync(folder), []);
    });
  });
});
