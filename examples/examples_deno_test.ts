import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

interface Outcome {
  readonly code: number | string | null | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

function run(example: string, args: readonly string[] = []): Promise<Outcome> {
  const path = fileURLToPath(new URL(`./${example}`, import.meta.url));
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ["run", "-A", "--no-check", path, ...args],
      { timeout: 30_000, env: { ...process.env, NO_COLOR: "1" } },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : error.code, stdout, stderr }),
    );
  });
}

test("examples: echo says what it was told and ends by itself", async () => {
  const { code, stdout, stderr } = await run("echo.ts");
  assert.equal(code, 0, stderr);
  assert.equal(stdout, "hello, echo\n");
});

test("examples: chat without a seed says how to use it", async () => {
  const { code, stderr } = await run("chat.ts");
  assert.equal(code, 2);
  assert.match(stderr, /^usage: /);
});
