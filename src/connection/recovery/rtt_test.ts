import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RttEstimator } from "./rtt.ts";

test("before a sample the RTT is 333 ms and the PTO a second more than that", () => {
  const rtt = new RttEstimator();
  assert.equal(rtt.smoothed, 333);
  assert.equal(rtt.min, Infinity);
  assert.equal(rtt.pto(25), 333 + 4 * 166.5 + 25);
});

test("the first sample replaces the assumption, later ones are weighted", () => {
  const rtt = new RttEstimator();
  rtt.update(100, 20);
  assert.deepEqual([rtt.latest, rtt.smoothed, rtt.variance, rtt.min], [100, 100, 50, 100]);
  rtt.update(200, 20);
  assert.deepEqual([rtt.latest, rtt.smoothed, rtt.variance, rtt.min], [200, 110, 57.5, 100]);
});

test("an ACK delay that would undercut the minimum is not believed", () => {
  const rtt = new RttEstimator();
  rtt.update(100, 0);
  rtt.update(110, 25);
  assert.equal(rtt.smoothed, 101.25);
});

test("the deviation counts at least a millisecond in the PTO", () => {
  const rtt = new RttEstimator();
  for (let i = 0; i < 200; i++) rtt.update(0.1, 0);
  assert.ok(rtt.pto(0) >= 1.1 - 1e-9 && rtt.pto(0) < 1.2);
});

test("samples of a clock that went back count as zero", () => {
  const rtt = new RttEstimator();
  rtt.update(-5, 0);
  assert.deepEqual([rtt.latest, rtt.min, rtt.smoothed], [0, 0, 0]);
});

test("a reset forgets the path", () => {
  const rtt = new RttEstimator();
  rtt.update(5, 0);
  rtt.reset();
  assert.deepEqual([rtt.smoothed, rtt.min, rtt.samples], [333, Infinity, 0]);
  rtt.update(7, 0);
  assert.equal(rtt.smoothed, 7);
});

test("the estimate stays between the smallest and the largest sample", () => {
  fc.assert(fc.property(
    fc.array(fc.tuple(fc.double({ min: 0, max: 5000, noNaN: true }), fc.nat(25)), { minLength: 1 }),
    (samples) => {
      const rtt = new RttEstimator();
      for (const [sample, delay] of samples) rtt.update(sample, delay);
      const all = samples.map(([sample]) => sample);
      assert.equal(rtt.min, Math.min(...all));
      assert.ok(rtt.smoothed >= rtt.min - 1e-9 && rtt.smoothed <= Math.max(...all) + 1e-9);
      assert.ok(rtt.variance >= 0 && rtt.pto(25) >= rtt.smoothed + 26 - 1e-9);
    },
  ));
});
