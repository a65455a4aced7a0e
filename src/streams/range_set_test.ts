import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RangeSet } from "./range_set.ts";

function list(ranges: RangeSet): number[] {
  const all: number[] = [];
  for (let index = 0; index < ranges.size; index++) {
    assert.ok(ranges.start(index) < ranges.end(index));
    if (index > 0) assert.ok(ranges.start(index) > ranges.end(index - 1), "neighbours merge");
    for (let value = ranges.start(index); value < ranges.end(index); value++) all.push(value);
  }
  return all;
}

test("a range set agrees with a set of numbers", () => {
  const step = fc.tuple(
    fc.boolean(),
    fc.integer({ min: 0, max: 60 }),
    fc.integer({ min: 0, max: 12 }),
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const ranges = new RangeSet();
    const slow = new Set<number>();
    for (const [add, start, length] of steps) {
      let changed = 0;
      for (let value = start; value < start + length; value++) {
        if (add === slow.has(value)) continue;
        if (add) slow.add(value);
        else slow.delete(value);
        changed++;
      }
      const told = add ? ranges.add(start, start + length) : ranges.remove(start, start + length);
      assert.equal(told, changed);
      assert.equal(ranges.total, slow.size);
    }
    assert.deepEqual(list(ranges), [...slow].sort((x, y) => x - y));
    for (let value = 0; value < 75; value++) {
      assert.equal(ranges.has(value), slow.has(value));
      let end = value;
      while (slow.has(end)) end++;
      assert.equal(ranges.endOfRangeAt(value), end);
      const index = ranges.indexAbove(value);
      assert.ok(index === ranges.size || ranges.end(index) > value);
      assert.ok(index === 0 || ranges.end(index - 1) <= value);
    }
  }));
});
