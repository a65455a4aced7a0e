import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { allRules, builtInCases } from "./cases/mod.ts";
import { expected } from "./cases/rule.ts";
import { loadData } from "./data/files.ts";
import { runCases } from "./runner.ts";
import { TwinImplementation } from "./twin_implementation.ts";

const VECTORS = fileURLToPath(new URL("../vectors", import.meta.url));

test("the twin imports nothing of src/", () => {
  // npm/ holds the same files compiled.
  const folder = new URL("./twin/", import.meta.url);
  const files = readdirSync(folder).filter((name) => /\.(ts|js)$/.test(name));
  assert.ok(files.length > 10);
  for (const name of files) {
    const text = readFileSync(new URL(name, folder), "utf8");
    for (const [, path] of text.matchAll(/from "([^"]+)"/g)) {
      assert.match(
        path as string,
        /^(\.\/[a-z_]+\.(ts|js)|node:(crypto|buffer))$/,
        `${name}: ${path}`,
      );
    }
  }
});

test("all data agree with the twin", async () => {
  const { cases, files } = loadData(VECTORS);
  const paths = files.map(({ path }) => path);
  for (
    const path of [
      "reference/varint.json",
      "reference/values.json",
      "reference/frames.json",
      "noise/noise.json",
      "stt1/handshake.json",
      "stt1/records.json",
      "varint.json",
    ]
  ) {
    assert.ok(paths.includes(path), path);
  }
  // The project's own files are what the twin said, and are compared with src/ by scripts/check_vectors.ts.
  const copied = cases.filter(({ id, slow }) => slow !== true && id.includes("/"));
  const results = await runCases(
    copied.filter(({ id }) => /-(reference|noise|stt1)\//.test(id)),
    new TwinImplementation(),
  );
  assert.deepEqual(
    results.filter(({ verdict }) => verdict === "fail" || verdict === "not-strict"),
    [],
  );
});

test("all built-in cases agree with the twin, and their ids are unique", () => {
  const cases = builtInCases();
  assert.equal(new Set(cases.map(({ id }) => id)).size, cases.length);
  for (const { id, section } of cases) {
    assert.match(id, new RegExp(`^${section}\\.\\d+-[a-z0-9-]+(/\\d+)?$`));
  }
  for (const rule of allRules()) {
    for (const one of rule.tests) {
      expected(rule, one);
      assert.ok(!("id" in one.request), `${one.request.op}: id is the request itself`);
    }
  }
});

test("more tests are refused than accepted", () => {
  const count = (expect: string): number =>
    allRules().filter((rule) => rule.expect === expect).reduce(
      (sum, { tests }) => sum + tests.length,
      0,
    );
  assert.ok(count("refused") > count("accepted"));
});
