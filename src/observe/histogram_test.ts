import assert from "node:assert/strict";
import { test } from "node:test";
import { Histogram, histogramSince, quantile } from "./histogram.ts";

const SHARES = [0, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1];

/** Values over nine powers of ten, from a generator that needs no seed. */
function values(count: number): number[] {
  return Array.from({ length: count }, (_, index) => {
    const part = (index * 0.618_033_988_75) % 1;
    return 10 ** (part * 9 - 3);
  });
}

test("quantiles are at most a sixteenth off, over nine powers of ten", () => {
  const histogram = new Histogram(0.000_01);
  const all = values(10_000);
  for (const value of all) histogram.record(value);
  const sorted = [...all].sort((a, b) => a - b);
  const snapshot = histogram.snapshot();
  for (const share of SHARES) {
    // Values beyond 2^31 times the resolution count as that.
    const exact = sorted[Math.max(0, Math.ceil(share * all.length) - 1)] as number;
    if (exact > 20_000) continue;
    const said = quantile(snapshot, share) as number;
    assert.ok(Math.abs(said - exact) <= exact / 16 + 0.000_005, `${share}: ${said} for ${exact}`);
  }
  assert.equal(snapshot.count, 10_000);
  assert.equal(snapshot.min, sorted[0]);
  assert.equal(snapshot.max, sorted.at(-1));
  assert.ok(Math.abs(snapshot.sum - all.reduce((a, b) => a + b)) < 1);
});

test("every value is in the bucket whose bounds hold it, and buckets do not overlap", () => {
  for (let value = 0; value < 5000; value++) {
    const histogram = new Histogram(1);
    histogram.record(value);
    const [bucket, ...others] = histogram.snapshot().buckets;
    assert.deepEqual(others, []);
    const [from, below, count] = bucket ?? assert.fail();
    assert.ok(from <= value && value < below && count === 1, `${value} in ${from} to ${below}`);
    assert.ok(below - from <= Math.max(1, from / 8));
  }
});

test("extremes: nothing, below zero, far too large", () => {
  const histogram = new Histogram(1);
  assert.equal(quantile(histogram.snapshot(), 0.5), undefined);
  assert.deepEqual(histogram.snapshot(), { count: 0, sum: 0, min: 0, max: 0, buckets: [] });
  histogram.record(-5);
  assert.equal(quantile(histogram.snapshot(), 1), 0);
  histogram.record(1e300);
  histogram.record(NaN);
  const { count, buckets } = histogram.snapshot();
  assert.equal(count, 3);
  assert.equal(buckets.at(-1)?.[2], 1);
});

test("what came between two snapshots", () => {
  const histogram = new Histogram(0.001);
  for (const value of [1, 2, 300]) histogram.record(value);
  const before = histogram.snapshot();
  assert.deepEqual(histogramSince(before, before).buckets, []);
  assert.equal(quantile(histogramSince(before, before), 0.5), undefined);
  for (const value of [40, 40, 50]) histogram.record(value);
  const since = histogramSince(before, histogram.snapshot());
  assert.deepEqual([since.count, since.sum], [3, 130]);
  const median = quantile(since, 0.5) as number;
  assert.ok(median > 37 && median < 43, `${median}`);
  assert.ok(since.min <= 40 && since.min > 35 && since.max >= 50 && since.max < 57);
});
