import assert from "node:assert/strict";
import { test } from "node:test";
import { AckTracker } from "./ack_tracker.ts";
import { RttEstimator } from "./rtt.ts";

function receive(tracker: AckTracker, from: number, to: number, nowMs: number): void {
  for (let sequence = from; sequence <= to; sequence++) {
    tracker.onPacket(sequence, true, nowMs, false);
  }
  tracker.endOfBatch(nowMs);
}

/** A tracker past its first packets. */
function warm(ackEvery: number, count: number): AckTracker {
  const tracker = new AckTracker({ ackDelayMs: 25, ackEvery });
  receive(tracker, 0, count - 1, 0);
  tracker.take(0);
  return tracker;
}

test("nothing received, nothing to say", () => {
  const tracker = new AckTracker({ ackDelayMs: 25, ackEvery: 16 });
  assert.equal(tracker.take(0), undefined);
  assert.equal(tracker.due, false);
  assert.equal(tracker.pending, false);
  assert.equal(tracker.nextTimeout(), undefined);
});

test("the first 16 at once, then every second, then as wished", () => {
  const tracker = new AckTracker({ ackDelayMs: 25, ackEvery: 10 });
  const acked: number[] = [];
  for (let sequence = 0; sequence < 140; sequence++) {
    receive(tracker, sequence, sequence, sequence);
    if (tracker.due) acked.push(tracker.take(sequence)!.largest);
  }
  assert.deepEqual(acked.slice(0, 18), [...Array(16).keys(), 17, 19]);
  assert.deepEqual(acked.filter((sequence) => sequence >= 95), [95, 97, 99, 109, 119, 129, 139]);
});

test("a burst is decided once, at its end", () => {
  const tracker = warm(16, 200);
  for (let sequence = 200; sequence < 400; sequence++) tracker.onPacket(sequence, true, 5, false);
  assert.equal(tracker.due, false);
  tracker.endOfBatch(5);
  assert.equal(tracker.due, true);
  assert.deepEqual(tracker.take(7), {
    type: "ack",
    largest: 399,
    delayUs: 2000,
    ranges: [[0, 399]],
  });
  assert.equal(tracker.due, false);
  assert.equal(tracker.pending, false);
});

test("few packets wait for the delay", () => {
  const tracker = warm(16, 200);
  receive(tracker, 200, 200, 10);
  receive(tracker, 201, 201, 20);
  assert.equal(tracker.due, false);
  assert.equal(tracker.pending, true);
  assert.equal(tracker.nextTimeout(), 35);
  tracker.onTimeout(34);
  assert.equal(tracker.due, false);
  tracker.onTimeout(35);
  assert.equal(tracker.due, true);
  assert.equal(tracker.nextTimeout(), undefined);
  assert.equal(tracker.take(36)!.delayUs, 16_000);
});

test("a hole that appears, one that fills, and urgent packets are answered at once", () => {
  const tracker = warm(64, 200);
  receive(tracker, 202, 202, 1);
  assert.equal(tracker.due, true);
  assert.deepEqual(tracker.take(1)!.ranges, [[202, 202], [0, 199]]);
  receive(tracker, 203, 203, 2);
  assert.equal(tracker.due, false, "an old hole is no news");
  receive(tracker, 201, 201, 3);
  assert.equal(tracker.due, true);
  assert.deepEqual(tracker.take(3)!.ranges, [[201, 203], [0, 199]]);
  tracker.onPacket(204, true, 4, true);
  tracker.endOfBatch(4);
  assert.equal(tracker.due, true);
});

test("packets that ask for nothing are named, but cause nothing", () => {
  const tracker = warm(16, 200);
  tracker.onPacket(200, false, 1, false);
  tracker.onPacket(205, false, 1, false);
  tracker.endOfBatch(1);
  assert.equal(tracker.due, false);
  assert.equal(tracker.pending, false);
  assert.equal(tracker.nextTimeout(), undefined);
  receive(tracker, 206, 206, 2);
  assert.equal(tracker.due, true, "the hole they showed is news with the next packet that asks");
  assert.deepEqual(tracker.take(2)!.ranges, [[205, 206], [0, 200]]);
});

test("an ACK holds 33 ranges at most, the highest", () => {
  const tracker = new AckTracker({ ackDelayMs: 25, ackEvery: 2 });
  for (let index = 0; index < 500; index++) receive(tracker, 2 * index, 2 * index, index);
  const record = tracker.take(500)!;
  assert.equal(record.ranges.length, 33);
  assert.deepEqual(record.ranges[0], [998, 998]);
  assert.deepEqual(record.ranges[32], [934, 934]);
});

test("confirmed ranges are dropped, but not what no ACK has named", () => {
  const tracker = warm(16, 10);
  receive(tracker, 20, 29, 1);
  const record = tracker.take(1)!;
  receive(tracker, 15, 15, 2);
  tracker.onAckAcked(record.largest);
  assert.deepEqual(tracker.take(2)!.ranges, [[20, 29], [15, 15]]);
  tracker.onAckAcked(29);
  assert.deepEqual(tracker.take(2)!.ranges, [[29, 29]]);
  receive(tracker, 30, 31, 3);
  assert.deepEqual(tracker.take(3)!.ranges, [[29, 31]]);
});

test("few packets per round trip are acknowledged more often than wished", () => {
  const rtt = new RttEstimator();
  rtt.update(100, 0);
  const tracker = new AckTracker({ ackDelayMs: 1000, ackEvery: 64, rtt });
  let acks = 0;
  // 20 packets per round trip: an ACK for every fifth.
  for (let sequence = 0; sequence < 1000; sequence++) {
    receive(tracker, sequence, sequence, sequence * 5);
    if (!tracker.due) continue;
    tracker.take(sequence * 5);
    if (sequence >= 500) acks++;
  }
  assert.ok(acks >= 95 && acks <= 130, String(acks));
});

test("every 32nd ACK without an own packet that asks for one wants a PING", () => {
  const tracker = new AckTracker({ ackDelayMs: 25, ackEvery: 2 });
  receive(tracker, 0, 0, 0);
  for (let ack = 1; ack <= 31; ack++) {
    assert.equal(tracker.pingDue, false);
    tracker.take(0);
  }
  assert.equal(tracker.pingDue, true);
  tracker.take(0);
  tracker.onElicitingSent();
  assert.equal(tracker.pingDue, false);
});
