import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { REPLAY_WINDOW as W } from "../constants.ts";
import { ReplayWindow } from "./replay_window.ts";

/** The window as a set: everything ever marked, and the highest. */
class NaiveWindow {
  readonly #marked: Set<number> = new Set();
  #highest = -1;

  check(sequence: number): "new" | "seen" | "stale" {
    if (sequence <= this.#highest - W) return "stale";
    return this.#marked.has(sequence) ? "seen" : "new";
  }

  mark(sequence: number): void {
    this.#marked.add(sequence);
    this.#highest = Math.max(this.#highest, sequence);
  }
}

// Each row checks a sequence and marks it when new; the numbers let a failure name its row.
const TABLE: [row: number, sequence: number, verdict: "new" | "seen" | "stale"][] = [
  [1, 0, "new"],
  [2, 0, "seen"],
  [3, 1, "new"],
  [4, 1, "seen"],
  [5, 9, "new"],
  [6, 8, "new"],
  [7, 7, "new"],
  [8, 7, "seen"],
  [9, W, "new"],
  [10, W - 1, "new"],
  [11, W - 1, "seen"],
  [12, W - 2, "new"],
  [13, 2, "new"],
  [14, 2, "seen"],
  [15, 0, "stale"],
  [16, 1, "seen"],
  [17, W + 16, "new"],
  [18, 3, "stale"],
  [19, 16, "stale"],
  [20, 17, "new"],
  [21, W + 16, "seen"],
  [22, W + 15, "new"],
  [23, W * 4, "new"],
  [24, W * 4 - (W - 1), "new"],
  [25, 10, "stale"],
  [26, W * 4 - W, "stale"],
  [27, W * 4 - (W + 1), "stale"],
  [28, W * 4 - (W - 2), "new"],
  [29, W * 4 + 1 - W, "seen"],
  [30, 0, "stale"],
  [31, 2 ** 32 - 1, "new"],
  [32, 2 ** 32, "new"],
  [33, 2 ** 32 - 2, "new"],
  [34, 2 ** 32, "seen"],
  [35, 2 ** 32 - W, "stale"],
  [36, 2 ** 32 - W + 1, "new"],
  [37, 2 ** 53 - 2, "new"],
  [38, 2 ** 53 - 1, "new"],
  [39, 2 ** 53 - 2, "seen"],
  [40, 2 ** 53 - 1, "seen"],
  [41, 2 ** 53 - W, "new"],
  [42, 2 ** 53 - 1 - W, "stale"],
];

test("replay window: the table", () => {
  const window = new ReplayWindow();
  for (const [row, sequence, verdict] of TABLE) {
    assert.equal(window.check(sequence), verdict, `row ${row}`);
    if (verdict === "new") window.mark(sequence);
  }
});

test("replay window: a long run in order, then the edge of the window", () => {
  const window = new ReplayWindow();
  for (let sequence = 0; sequence < 3 * W; sequence++) {
    assert.equal(window.check(sequence), "new");
    window.mark(sequence);
  }
  window.mark(3 * W + 40);
  assert.equal(window.check(3 * W - 1), "seen");
  for (let sequence = 3 * W; sequence < 3 * W + 40; sequence++) {
    assert.equal(window.check(sequence), "new");
  }
  assert.equal(window.check(2 * W + 41), "seen");
  assert.equal(window.check(2 * W + 40), "stale");
  assert.equal(window.highest, 3 * W + 40);
});

test("replay window: agrees with a set under any order of arrival", () => {
  const step = fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: -40, max: 3 }) },
    { weight: 2, arbitrary: fc.integer({ min: -W - 40, max: W + 40 }) },
    { weight: 1, arbitrary: fc.integer({ min: W - 40, max: 3 * W }) },
  );
  const start = fc.constantFrom(0, 31, W, 2 ** 32 - 100, 2 ** 45);
  fc.assert(
    fc.property(start, fc.array(step, { maxLength: 400 }), (first, steps) => {
      const window = new ReplayWindow();
      const naive = new NaiveWindow();
      let highest = first;
      for (const delta of steps) {
        const sequence = Math.max(0, highest + delta);
        const verdict = naive.check(sequence);
        assert.equal(window.check(sequence), verdict);
        if (verdict !== "new") continue;
        window.mark(sequence);
        naive.mark(sequence);
        highest = Math.max(highest, sequence);
      }
    }),
    { numRuns: 300 },
  );
});
