import assert from "node:assert/strict";
import { test } from "node:test";
import { checkSuites, downgradeError, firstCommon, moveToFront } from "./suites.ts";

const SUITE_1 = { suite: 1, version: 1 };
const SUITE_2 = { suite: 2, version: 1 };

test("the initiator's order decides", () => {
  assert.equal(downgradeError(SUITE_1, [1, 2], [2, 1], [1]), undefined);
  assert.equal(downgradeError(SUITE_2, [1, 2], [2], [1]), undefined);
  assert.equal(downgradeError(SUITE_2, [1, 2], [2, 1], [1])?.code, "SUITE");
  assert.equal(downgradeError(SUITE_1, [1], [2], [1])?.code, "SUITE");
  assert.equal(downgradeError(SUITE_1, [1], [], [1])?.code, "SUITE");
});

test("unknown suites and versions of the peer are passed over", () => {
  assert.equal(downgradeError(SUITE_1, [9, 1], [1], [1]), undefined);
  assert.equal(downgradeError(SUITE_1, [1], [2n ** 60n, 1], [1, 2, 2n ** 60n]), undefined);
  assert.equal(downgradeError(SUITE_1, [1], [1], [2])?.code, "VERSION");
  assert.equal(downgradeError(SUITE_1, [1], [1], [])?.code, "VERSION");
  assert.match(downgradeError(SUITE_1, [1], [1], [2])?.message ?? "", /both sides have is none$/);
});

test("orders", () => {
  assert.equal(firstCommon([3, 2, 1], [1, 2]), 2);
  assert.equal(firstCommon([3], [1, 2]), undefined);
  assert.deepEqual(moveToFront([1, 2, 3], 3), [3, 1, 2]);
});

test("suites that cannot be used", () => {
  for (const suites of [[], [1, 1], [127], [0], [1, 3]]) {
    assert.throws(() => checkSuites(suites), { code: "CONFIG" });
  }
});
