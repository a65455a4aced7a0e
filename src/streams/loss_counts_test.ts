import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LossCounts } from "./loss_counts.ts";

test("counts per range are the counts per byte", () => {
  const step = fc.record({
    lose: fc.boolean(),
    start: fc.integer({ min: 0, max: 60 }),
    length: fc.integer({ min: 1, max: 25 }),
  });
  fc.assert(fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
    const counts = new LossCounts();
    const naive = new Array<number>(100).fill(0);
    for (const { lose, start, length } of steps) {
      const end = start + length;
      if (lose) {
        for (let at = start; at < end; at++) naive[at]!++;
        assert.equal(counts.add(start, end), Math.max(...naive.slice(start, end)));
      } else {
        naive.fill(0, start, end);
        counts.remove(start, end);
      }
    }
    let runs = 0;
    for (let at = 0; at < 100; at++) if (naive[at]! > 0 && naive[at] !== naive[at - 1]) runs++;
    assert.ok(counts.size >= runs && counts.size <= 2 * steps.length);
    for (let at = 0; at < 90; at++) assert.equal(counts.add(at, at + 1), naive[at]! + 1);
    counts.clear();
    assert.equal(counts.size, 0);
  }));
});
