import { test } from "node:test";
import assert from "node:assert/strict";
import { CELLS } from "../../src/connection/simulation/cells_for_test.ts";
import { simulate } from "../../src/connection/simulation/simulate_for_test.ts";
import { parseArguments } from "./arguments.ts";
import { median, Summary } from "./summary.ts";

test("sim: arguments", () => {
  const all = { seed: 1, seeds: 2, only: undefined, json: false, jobs: 2 };
  assert.deepEqual(parseArguments([], 2), all);
  const one = parseArguments(["--seed", "17", "--only", "loss=5%", "--json", "--jobs", "1"], 2);
  assert.deepEqual(one, { seed: 17, seeds: 1, only: "loss=5%", json: true, jobs: 1 });
  assert.equal(parseArguments(["--seed", "5", "--seeds", "7"], 2)?.seeds, 7);
  assert.equal(parseArguments(["--help"], 2), undefined);
  for (const bad of [["--seeds"], ["--seeds", "0"], ["--seed", "x"], ["--only"], ["more"]]) {
    assert.throws(() => parseArguments(bad, 2), Error, bad.join(" "));
  }
});

test("sim: no cell's name is part of another one, so that a failure names its own", () => {
  const names = CELLS.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  for (const name of names) {
    assert.deepEqual(names.filter((other) => other.includes(name)), [name]);
  }
});

test("sim: cell and seed decide the whole run", () => {
  for (const cell of CELLS.filter(({ name }) => name.endsWith("rtt=50ms")).slice(-3)) {
    assert.deepEqual(simulate(cell, 3), simulate(cell, 3), cell.name);
  }
});

test("sim: a cell's line, and the command that repeats a failure", () => {
  const summary = new Summary(["one", "two"]);
  const result = { virtualMs: 10, payloadBytes: 100, wireBytes: 150, steps: 5 };
  assert.equal(summary.add({ cell: 1, seed: 1, tookMs: 4, result }), undefined);
  summary.add({ cell: 1, seed: 2, tookMs: 4, result: { ...result, virtualMs: 20 } });
  const failure = summary.add({ cell: 1, seed: 3, tookMs: 4, error: "Error: lost a byte\n at x" });
  assert.equal(failure?.repeat, 'deno task sim --only "two" --seed 3');
  assert.deepEqual(summary.cells(), [
    { name: "two", runs: 3, failed: 1, medianMs: 15, overheadBytes: 50, overhead: 0.5 },
  ]);
  assert.match(summary.table(), /two +3 +1 +15 ms +50 +50\.0 %/);
  assert.equal(summary.tookMs, 12);
  assert.equal(median([]), undefined);
});
