import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { AckedRanges } from "./acked_ranges.ts";

test("acknowledgements in any order agree with a set of numbers", () => {
  const range = fc.tuple(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 12 }));
  fc.assert(fc.property(fc.array(range, { maxLength: 40 }), (acks) => {
    const acked = new AckedRanges();
    const slow = new Set<number>();
    let base = 0;
    for (const [start, length] of acks) {
      for (let at = start; at < start + length; at++) slow.add(at);
      base = acked.add(start, start + length, base);
      let wanted = 0;
      while (slow.has(wanted)) wanted++;
      assert.equal(base, wanted);
      for (let at = base; at < 70; at++) {
        let open = at;
        while (slow.has(open)) open++;
        assert.equal(acked.skip(at), open);
        let next = open;
        while (next < 70 && !slow.has(next)) next++;
        assert.equal(acked.startAbove(open), next === 70 ? Infinity : next);
      }
    }
    acked.clear();
    assert.equal(acked.skip(60), 60);
  }));
});
