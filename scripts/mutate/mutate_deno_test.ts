/** The mutation script: what it changes, how it switches changes on, and a slice of the real thing. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAccepted } from "./accepted.ts";
import { parseArguments } from "./arguments.ts";
import { instrument, SWITCH } from "./instrument.ts";
import { findMutants, numericConstants } from "./mutants.ts";
import { isSurvivor, Runner } from "./runner.ts";
import { makeWorkspace } from "./workspace.ts";

const SOURCE = `
import { LIMIT, NAME } from "./constants.ts";
const TABLE: Readonly<Record<number, 1 | 2>> = { 7: 1 };
export function f(a: number, b = false): number | string {
  if (a < LIMIT && !b) return a === -1 ? 10n > 5n ? 1 : 2 : a;
  while (a > 100) a -= 50;
  return \`\${NAME} 5 \${a > 3 ? 1 : 2}\` + TABLE[7];
}
`;

test("every comparison, condition and constant has its mutants; types, keys and messages have none", () => {
  const labels = findMutants("f.ts", SOURCE, new Set(["LIMIT"])).map(({ label }) => label);
  for (
    const expected of [
      "TABLE: 1 → 2",
      "f: false → true",
      "f: a < LIMIT && !b → true",
      "f: a < LIMIT && !b → false",
      "f: a < LIMIT && !b → (a < LIMIT) || (!b)",
      "f: a < LIMIT → a <= LIMIT",
      "f: a < LIMIT → a >= LIMIT",
      "f: LIMIT → (LIMIT + 1)",
      "f: a === -1 → true",
      "f: -1 → 0",
      "f: 10n > 5n → 10n >= 5n",
      "f: 5n → 6n",
      "f: a > 100 → false",
      "f: a > 100 → a >= 100",
      "f: 7 → 8",
    ]
  ) assert.ok(labels.includes(expected), `${expected} is not in\n${labels.join("\n")}`);
  assert.equal(new Set(labels).size, labels.length);
  assert.ok(!labels.some((label) => label.includes("NAME") || label.includes("a > 3")));
  assert.ok(!labels.includes("f: a > 100 → true"), "endless loops are not made");
});

test("shared constants are numbers, whatever they are computed from", () => {
  const source = `export const A = 8;\nexport const B: number = A * 2 ** 3;\nexport const C = "8";`;
  assert.deepEqual([...numericConstants(source)], ["A", "B"]);
});

test("instrumented code is the original until a mutant is switched on", () => {
  const source = `const f = (a) => { if (a < 3 || a === 7) return 1; return a > 5 ? 2 : 4; };`;
  const mutants = findMutants("f.js", source, new Set());
  const text = instrument(source, mutants, 100);
  const run = (on: number, a: number): number =>
    new Function(SWITCH, `${text} return f(${a});`)((id: number) => id === on) as number;
  assert.deepEqual([2, 3, 5, 6, 7].map((a) => run(-1, a)), [1, 4, 4, 2, 1]);
  const at = (label: string): number => {
    const index = mutants.findIndex((mutant) => mutant.label === `f: ${label}`);
    assert.notEqual(index, -1, mutants.map((mutant) => mutant.label).join("\n"));
    return 100 + index;
  };
  assert.equal(run(at("a < 3 → a <= 3"), 3), 1);
  assert.equal(run(at("a < 3 || a === 7 → (a < 3) && (a === 7)"), 2), 4);
  assert.equal(run(at("a < 3 || a === 7 → false"), 2), 4);
  assert.equal(run(at("a > 5 → true"), 5), 2);
  assert.equal(run(at("4 → 5"), 5), 5);
});

test("arguments", () => {
  const options = parseArguments(["--file", "src/session", "--shard", "2/3", "--json"]);
  assert.ok(typeof options === "object");
  assert.deepEqual([options.files, options.shard, options.shards], [["src/session"], 2, 3]);
  for (const wrong of [["--shard", "0/3"], ["--shard", "4/3"], ["--file"], ["x"]]) {
    assert.equal(typeof parseArguments(wrong), "string", wrong.join(" "));
  }
});

test("listed survivors are found with their reasons, over line ends too", () => {
  const markdown = "# x\n\n## `src/a.ts`\n\n- `f: a < b → a <= b`: both give\n  the same.\n" +
    "- `` f: `x` → `y` ``: no.\n\n## `src/b.ts`\n- `1 → 2`: why\n";
  assert.deepEqual([...parseAccepted(markdown)], [
    ["src/a.ts f: a < b → a <= b", "both give the same."],
    ["src/a.ts f: `x` → `y`", "no."],
    ["src/b.ts 1 → 2", "why"],
  ]);
});

test("a slice of the core: what must die dies, and a survivor is told", async () => {
  const workspace = makeWorkspace(
    ["src/session/replay_window.ts"],
    ["src/session/replay_window_test.ts"],
  );
  const runner = new Runner(workspace);
  const expected: Record<string, boolean> = {
    "ReplayWindow.check: sequence > this.#highest → sequence >= this.#highest": false,
    "ReplayWindow.check: this.#highest - sequence >= REPLAY_WINDOW → false": false,
    "ReplayWindow.mark: sequence > this.#highest → false": false,
    "ReplayWindow.mark: s <= this.#highest → false": false,
    "wordOf: 32 → 33": false,
    // Read when the file is loaded.
    "WORDS: REPLAY_WINDOW → (REPLAY_WINDOW + 1)": false,
    // A word more than needed.
    "WORDS: 1 → 2": true,
  };
  try {
    await runner.record();
    for (const [label, survives] of Object.entries(expected)) {
      const mutant = workspace.mutants.find((one) => one.label === label);
      assert.ok(mutant !== undefined, label);
      const verdict = await runner.run(mutant);
      assert.equal(isSurvivor(verdict), survives, `${label}: ${verdict.outcome} ${verdict.by}`);
    }
  } finally {
    runner.end();
    workspace.remove();
  }
});
