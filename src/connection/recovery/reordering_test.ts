import assert from "node:assert/strict";
import { test } from "node:test";
import { Reordering } from "./reordering.ts";
import { RttEstimator } from "./rtt.ts";

test("starts at three packets and 9/8 of the RTT, and widens to a bound", () => {
  const rtt = new RttEstimator();
  rtt.update(80, 0);
  const reordering = new Reordering();
  assert.deepEqual([reordering.packets, reordering.lossDelay(rtt)], [3, 90]);
  reordering.onSpurious(1, rtt, 0);
  assert.deepEqual([reordering.packets, reordering.lossDelay(rtt)], [3, 100]);
  reordering.onSpurious(20, rtt, 1);
  assert.deepEqual([reordering.packets, reordering.lossDelay(rtt)], [21, 100]);
  for (let round = 1; round < 100; round++) reordering.onSpurious(10_000, rtt, round * 100);
  assert.deepEqual([reordering.packets, reordering.lossDelay(rtt)], [300, 160]);
});

test("sixteen episodes of loss without a spurious one narrow it again", () => {
  const rtt = new RttEstimator();
  rtt.update(80, 0);
  const reordering = new Reordering();
  reordering.onSpurious(20, rtt, 0);
  for (let round = 1; round <= 15; round++) {
    reordering.onLoss(rtt, round * 100);
    // The same round trip.
    reordering.onLoss(rtt, round * 100 + 1);
  }
  assert.equal(reordering.packets, 21);
  reordering.onLoss(rtt, 1600);
  assert.deepEqual([reordering.packets, reordering.lossDelay(rtt)], [3, 90]);
});
