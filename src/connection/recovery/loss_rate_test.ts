import assert from "node:assert/strict";
import { test } from "node:test";
import { LossRate } from "./loss_rate.ts";

test("the share counts the packets known so far, then the last 1024", () => {
  const rate = new LossRate();
  assert.equal(rate.value, 0);
  rate.onAcked(3);
  rate.onLost(1);
  assert.equal(rate.value, 0.25);
  rate.onAcked(1020);
  assert.equal(rate.value, 1 / 1024);
  rate.onAcked(3);
  assert.equal(rate.value, 1 / 1024, "the loss is the oldest now");
  rate.onAcked(1);
  assert.equal(rate.value, 0);
  rate.onLost(2000);
  assert.equal(rate.value, 1);
});

test("losses that were none are taken back, the latest first", () => {
  const rate = new LossRate();
  rate.onLost(2);
  rate.onAcked(5);
  rate.onLost(1);
  rate.onSpurious(2);
  assert.equal(rate.value, 1 / 8);
  rate.onAcked(1017);
  assert.equal(rate.value, 0, "the one that was left has gone");
  rate.onSpurious(7);
  assert.equal(rate.value, 0);
});

test("the first loss after many packets counts among the last 1024", () => {
  for (const before of [0, 1, 1023, 1024, 5000]) {
    const rate = new LossRate();
    rate.onAcked(before);
    rate.onSpurious(1);
    rate.onLost(0);
    assert.equal(rate.value, 0);
    rate.onLost(1);
    const known = Math.min(before + 1, 1024);
    assert.equal(rate.value, 1 / known);
    rate.onAcked(1023);
    assert.equal(rate.value, 1 / 1024);
    rate.onAcked(1);
    assert.equal(rate.value, 0, "1024 packets later it is forgotten");
  }
});
