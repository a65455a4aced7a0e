import assert from "node:assert/strict";
import { test } from "node:test";
import { compareRatios, ratioLines, ratiosOf } from "./bench_ratios.ts";

function output(benches: Record<string, number | undefined>): string {
  return JSON.stringify({
    benches: Object.entries(benches).map(([name, min]) => ({
      name,
      results: [min === undefined ? { failed: {} } : { ok: { min } }],
    })),
  });
}

test("ratios are to the reference of the same run, which a slow machine slows as well", () => {
  const fast = ratiosOf(output({ "reference: a loop": 100, "varint": 50, "frame": 250 }));
  const slow = ratiosOf(output({ "reference: a loop": 300, "varint": 150, "frame": 750 }));
  assert.deepEqual(fast, { varint: 0.5, frame: 2.5 });
  assert.deepEqual(slow, fast);
});

test("benches that failed are left out; without the reference nothing can be said", () => {
  assert.deepEqual(ratiosOf(output({ "reference: a loop": 1, "varint": undefined })), {});
  assert.throws(() => ratiosOf(output({ varint: 1 })), /reference loop did not run/);
});

test("only what goes beyond the noise is called slower or faster, and slower comes first", () => {
  const before = { a: 1, b: 1, c: 1, d: 1 };
  const now = { a: 1.2, b: 1.5, c: 0.5, e: 1 };
  const compared = compareRatios(now, before);
  assert.deepEqual(compared.map(({ name, verdict }) => [name, verdict]), [
    ["a", "the same"],
    ["b", "slower"],
    ["c", "faster"],
    ["e", "new"],
    ["d", "gone"],
  ]);
  assert.equal(compared[1]?.change, 1.5);
  assert.match(ratioLines(compared)[0] ?? "", /^ +1\.00 +1\.50 +1\.50 {2}slower +b$/);
});
