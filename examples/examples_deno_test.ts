import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { play, SCENARIOS } from "./scenarios_for_test.ts";

const FOLDER = new URL("./", import.meta.url);
/** What examples share and what tests them. */
const OTHERS = ["command.ts", "examples_deno_test.ts", "scenarios_for_test.ts"];
const examples = readdirSync(FOLDER).filter((name) =>
  name.endsWith(".ts") && !OTHERS.includes(name)
);

const skip = process.platform === "win32" ? "programs are ended by signals" : false;

for (const name of Object.keys(SCENARIOS)) {
  test(`examples: ${name}`, { skip }, async () => {
    const path = (example: string) => fileURLToPath(new URL(`${example}.ts`, FOLDER));
    await play(name, (example) => [process.execPath, "run", "-A", "--no-check", path(example)]);
  });
}

test("every example has a scenario, a row in the table, and fewer than 100 lines", () => {
  const table = readFileSync(new URL("README.md", FOLDER), "utf8");
  for (const file of examples) {
    assert.ok(file.replace(".ts", "") in SCENARIOS, file);
    assert.ok(table.includes(`[${file}](${file})`), file);
    assert.ok(readFileSync(new URL(file, FOLDER), "utf8").split("\n").length <= 100, file);
  }
});
