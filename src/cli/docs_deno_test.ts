// The compiled package, whose tests run on Node, has no docs/.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { EXIT_CODES } from "./exit_codes.ts";
import { COMMANDS, runCommand } from "./io_for_test.ts";
import { COMMANDS as COMMAND_TABLES } from "./main.ts";
import { manual } from "./manual.ts";

const DOCS = new URL("../../docs/cli.md", import.meta.url);

test("the documentation has every option and every exit code", async () => {
  const docs = readFileSync(DOCS, "utf8");
  for (const [code] of EXIT_CODES) assert.match(docs, new RegExp(`^\\| ${code} +\\|`, "m"));
  for (const name of COMMANDS) {
    const { stdout } = await runCommand(["help", name]);
    assert(docs.includes(`\`${name} `), name);
    for (const [option] of stdout.matchAll(/--[a-z-]+(?= )/g)) {
      assert(docs.includes(option), `${option} of ${name}`);
    }
  }
});

test("the manual is what the tables of the commands say", () => {
  const page = readFileSync(new URL("../../docs/stt.1.md", import.meta.url), "utf8");
  assert(page === manual(COMMAND_TABLES), "docs/stt.1.md is stale: run `deno task gen-manual`");
});

test("the manual names every variable that the command reads", () => {
  const page = readFileSync(new URL("../../docs/stt.1.md", import.meta.url), "utf8");
  const folder = new URL("./", import.meta.url);
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /(?<!_test)\.ts$/.test(name) && !name.endsWith("manual.ts"))
    .map((name) => readFileSync(new URL(name, folder), "utf8"))
    .flatMap((text) => [...text.matchAll(/"(STT_[A-Z]+|NO_COLOR)"/g)].map(([, name]) => name));
  assert(names.length >= 4, names.join());
  for (const name of names) assert(page.includes(`| \`${name}\``), `${name} is not in the manual`);
});
