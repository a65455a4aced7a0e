import assert from "node:assert/strict";
import { test } from "node:test";
import { deliveryTarget, normalisedEntropy, transmissions } from "./entropy.ts";

test("entropy is 0 for one value, 1 for all values alike, whatever the length", () => {
  assert.equal(normalisedEntropy(new Uint8Array(0)), 0);
  assert.equal(normalisedEntropy(new Uint8Array(1)), 0);
  assert.equal(normalisedEntropy(new Uint8Array(16_384)), 0);
  assert.equal(normalisedEntropy(Uint8Array.from({ length: 1024 }, (_, index) => index & 255)), 1);
  assert.equal(normalisedEntropy(Uint8Array.from({ length: 10 }, (_, index) => index)), 1);
  assert.equal(normalisedEntropy(Uint8Array.of(1, 1, 2, 2)), 0.5);
});

test("the target follows the table, each bound belonging to the class below", () => {
  const rows: [number, number][] = [
    [0, 0.70],
    [0.3, 0.70],
    [0.31, 0.80],
    [0.6, 0.80],
    [0.61, 0.90],
    [0.75, 0.90],
    [0.76, 0.95],
    [0.9, 0.95],
    [0.91, 0.99],
    [1, 0.99],
  ];
  for (const [entropy, target] of rows) assert.equal(deliveryTarget(entropy), target, `${entropy}`);
});

test("transmissions are the fewest that reach the target, at most 8", () => {
  assert.equal(transmissions(0.7, 14, 0), 1, "a loss of 0.1 % is assumed");
  assert.equal(transmissions(0.99, 14, 0.01), 2);
  assert.equal(transmissions(0.99, 14, 0.1), 4);
  assert.equal(transmissions(0.99, 14, 0.5), 8);
  assert.equal(transmissions(0.7, 1, 1), 8);
  for (const loss of [0.01, 0.1, 0.3]) {
    for (const target of [0.7, 0.9, 0.99]) {
      const n = transmissions(target, 14, loss);
      if (n < 8) assert.ok((1 - loss ** n) ** 14 >= target);
      if (n > 1) assert.ok((1 - loss ** (n - 1)) ** 14 < target);
    }
  }
});
