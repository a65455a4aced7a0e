import assert from "node:assert/strict";
import { test } from "node:test";
import { ENTROPY_TARGETS, entropyClass, EntropyMeter, transmissions } from "./entropy.ts";

function normalisedEntropy(bytes: Uint8Array): number {
  const meter = new EntropyMeter();
  meter.push(bytes, 0, bytes.length);
  return meter.value();
}

function deliveryTarget(entropy: number): number {
  return ENTROPY_TARGETS[entropyClass(entropy)]!;
}

test("entropy is 0 for one value, 1 for all values alike, whatever the length", () => {
  assert.equal(normalisedEntropy(new Uint8Array(0)), 0);
  assert.equal(normalisedEntropy(new Uint8Array(1)), 0);
  assert.equal(normalisedEntropy(new Uint8Array(16_384)), 0);
  assert.equal(normalisedEntropy(Uint8Array.from({ length: 1024 }, (_, index) => index & 255)), 1);
  assert.equal(normalisedEntropy(Uint8Array.from({ length: 10 }, (_, index) => index)), 1);
  assert.equal(normalisedEntropy(Uint8Array.of(1, 1, 2, 2)), 0.5);
});

test("entropy does not depend on how the bytes are cut, and starts over when cleared", () => {
  const bytes = Uint8Array.from({ length: 5000 }, (_, index) => (index * index) >>> 4);
  const meter = new EntropyMeter();
  for (let round = 0; round < 2; round++) {
    for (let at = 0; at < bytes.length; at += 700) {
      meter.push(bytes, at, Math.min(bytes.length, at + 700));
    }
    assert.equal(meter.length, 5000);
    assert.equal(meter.value(), normalisedEntropy(bytes));
    meter.clear();
    assert.equal(meter.length, 0);
    assert.equal(meter.value(), 0);
  }
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
