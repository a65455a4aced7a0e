// ajv is a tool of the repository, which the compiled package does not have.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { COMMANDS } from "../main.ts";
import { checkConfig } from "./check.ts";
import { configSchema } from "./schema.ts";

const EXAMPLE = {
  $schema: "./config.schema.json",
  defaults: { timeout: 20, "seed-file": "network.seed" },
  commands: { listen: { out: "inbox", once: true }, send: { exclude: [".git/", "*.o"] } },
  peers: { laptop: { address: "udp://192.0.2.1:9000", expect: "0".repeat(64) } },
};

const WRONG: readonly unknown[] = [
  [],
  { peer: {} },
  { defaults: { timeout: true } },
  { defaults: { help: true } },
  { defaults: { congestion: "reno" } },
  { commands: { send: { exclude: [1] } } },
  { commands: { config: {} } },
  { peers: { laptop: {} } },
  { peers: { "a b": { address: "x" } } },
];

test("the published schema is that of the tables, and says what the program says", () => {
  const path = new URL("../../../docs/config.schema.json", import.meta.url);
  const published = JSON.parse(readFileSync(path, "utf8"));
  assert.deepEqual(published, configSchema(COMMANDS), "stale: run `deno task gen-manual`");
  const validate = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(published);
  assert(validate(EXAMPLE), JSON.stringify(validate.errors));
  assert.deepEqual(checkConfig(EXAMPLE, COMMANDS).mistakes, []);
  for (const config of WRONG) {
    assert(!validate(config), JSON.stringify(config));
    assert(checkConfig(config, COMMANDS).mistakes.length > 0, JSON.stringify(config));
  }
});

test("the example of the documentation is a configuration", () => {
  const docs = readFileSync(new URL("../../../docs/cli.md", import.meta.url), "utf8");
  const [, text = "{}"] = /```json\n([\s\S]*?)```/.exec(docs) ?? [];
  const { mistakes, config } = checkConfig(JSON.parse(text), COMMANDS);
  assert.deepEqual(mistakes, []);
  assert(Object.keys(config.peers).length > 0);
});
