import { test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { plainBlock, readmeBlock, withBlock } from "./readme.ts";
import type { Results } from "./results.ts";

const results: Results = {
  date: "2026-01-02",
  machine: "2 × a processor",
  versions: ["node 24", "deno 2"],
  command: "deno task bench:peers",
  rounds: 3,
  seconds: 1,
  warmUp: 1,
  reference: 1,
  load: 1,
  peers: [
    { peer: "ours-ws", runtime: "node", figures: { tp64k: 50, rr64w64: 30 }, failures: [] },
    { peer: "ours-ws", runtime: "deno", figures: { tp64k: 90 }, failures: [] },
    { peer: "ws", runtime: "node", figures: { tp64k: 100, rr64w64: 10 }, failures: [] },
    { peer: "ws", runtime: "deno", figures: { tp64k: 100 }, failures: [] },
  ],
};

test("README's table has each goal once, both runtimes beside each other, and marks what is missed", () => {
  const block = readmeBlock(results);
  const rows = block.split("\n").filter((line) => line.startsWith("| ")).slice(2);
  const [stream, requests] = rows;
  assert.equal(rows.length, 2);
  assert.match(stream!, /ours-ws \| ws \| ≥ 0\.800 \| 50.* \/ 100 = 0\.500 ✗ \| 90.* = 0\.900 \|$/);
  assert.match(requests!, /≥ 2\.50 \| 30.* \/ 10.* = 3\.00 \| – \|$/);
});

test("the block takes the place of the one before", () => {
  const block = readmeBlock(results);
  const readme = `before\n\n<!-- bench:peers -->\nold\n<!-- /bench:peers -->\n\nafter\n`;
  assert.equal(withBlock(readme, block), `before\n\n${block}\n\nafter\n`);
  assert.throws(() => withBlock("nothing", block), /has no/);
});

test("README says what bench/baseline.json says", () => {
  const root = new URL("../../", import.meta.url);
  const baseline = readFileSync(new URL("bench/baseline.json", root), "utf8");
  const readme = readFileSync(new URL("README.md", root), "utf8");
  assert.equal(plainBlock(readme), plainBlock(readmeBlock(JSON.parse(baseline) as Results)));
});
