import assert from "node:assert/strict";
import { test } from "node:test";
import { figure, median } from "./statistics.ts";

test("the median is the middle value, or between the two in the middle", () => {
  assert.equal(median([3]), 3);
  assert.equal(median([9, 1, 4]), 4);
  assert.equal(median([10, 1, 2, 4]), 3);
  assert.equal(median([100, 9]), 54.5);
  assert.throws(() => median([]), RangeError);
});

test("the median leaves its argument as it was", () => {
  const values = [3, 1, 2];
  median(values);
  assert.deepEqual(values, [3, 1, 2]);
});

test("figures have three digits that count", () => {
  assert.equal(figure(1234.5), "1235");
  assert.equal(figure(123.45), "123");
  assert.equal(figure(12.345), "12.3");
  assert.equal(figure(1.2345), "1.23");
  assert.equal(figure(0.012345), "0.012");
  assert.equal(figure(0), "0");
  assert.equal(figure(NaN), "–");
});
