import { test } from "node:test";
import assert from "node:assert/strict";
import { KeyRotation, type RotationLimits } from "./key_rotation.ts";

const LIMITS: RotationLimits = { bytes: 1000, ms: 500, packets: 10 };

test("rotation is due at the limit of bytes, of time and of frames", () => {
  const bytes = new KeyRotation(LIMITS, 0);
  bytes.sealed(999);
  assert.equal(bytes.due(0), false);
  bytes.sealed(1);
  assert.equal(bytes.due(0), true);

  const time = new KeyRotation(LIMITS, 100);
  time.sealed(1);
  assert.equal(time.due(599.5), false);
  assert.equal(time.due(600), true);

  const packets = new KeyRotation(LIMITS, 0);
  for (let i = 0; i < 9; i++) packets.sealed(1);
  assert.equal(packets.due(0), false);
  packets.sealed(1);
  assert.equal(packets.due(0), true);
});

test("a key that sealed nothing is not due, however old", () => {
  const rotation = new KeyRotation(LIMITS, 0);
  assert.equal(rotation.due(1e9), false);
  assert.equal(rotation.exhausted(1e9), undefined);
});

test("an epoch starts only after the peer was heard in the one before, and counts anew", () => {
  const rotation = new KeyRotation(LIMITS, 0);
  rotation.sealed(1000);
  assert.equal(rotation.allowed, false);
  assert.equal(rotation.start(10), false);
  assert.equal(rotation.sendEpoch, 0);
  assert.equal(rotation.opened(0, 20), false);
  assert.equal(rotation.start(20), true);
  assert.equal(rotation.sendEpoch, 1);
  assert.equal(rotation.pending, true);
  assert.equal(rotation.answering, false);
  assert.equal(rotation.bytes + rotation.packets, 0);
  rotation.sealed(50);
  assert.equal(rotation.pending, false);
  assert.equal(rotation.bytes, 50);
  rotation.opened(0, 30);
  assert.equal(rotation.start(30), false, "a frame of the old epoch does not count");
  rotation.opened(1, 40);
  assert.equal(rotation.start(40), true);
});

test("a frame of the next epoch moves the sender and asks for an answer", () => {
  const rotation = new KeyRotation(LIMITS, 0);
  rotation.request();
  assert.equal(rotation.opened(1, 10), true);
  assert.equal(rotation.sendEpoch, 1);
  assert.equal(rotation.recvEpoch, 1);
  assert.equal(rotation.pending, true);
  assert.equal(rotation.answering, true);
  assert.equal(rotation.due(10), false, "the request is fulfilled");
  assert.equal(rotation.start(10), false, "an epoch is not left before its first frame");
  rotation.sealed(1);
  assert.equal(rotation.answering, false);
});

test("both sides may move at once", () => {
  const a = new KeyRotation(LIMITS, 0);
  const b = new KeyRotation(LIMITS, 0);
  for (const side of [a, b]) {
    side.opened(0, 0);
    side.request();
    assert.equal(side.due(0), true);
    assert.equal(side.start(0), true);
    side.sealed(1);
  }
  assert.equal(a.opened(1, 5), false);
  assert.equal(b.opened(1, 5), false);
  assert.equal(a.sendEpoch, 1);
  assert.equal(b.pending, false);
});

test("data is held from twice a limit on until the peer is heard", () => {
  const rotation = new KeyRotation(LIMITS, 0);
  for (let i = 0; i < 19; i++) rotation.sealed(1);
  assert.equal(rotation.holding(0), false);
  rotation.sealed(1);
  assert.equal(rotation.holding(0), true);
  rotation.opened(0, 0);
  assert.equal(rotation.holding(0), false);
  assert.equal(rotation.start(0), true);
  assert.equal(rotation.holding(0), false);
});

test("AEAD_LIMIT at four times a limit, but only while the epoch may not move", () => {
  const rotation = new KeyRotation(LIMITS, 0);
  for (let i = 0; i < 39; i++) rotation.sealed(1);
  assert.equal(rotation.exhausted(0), undefined);
  rotation.sealed(1);
  assert.equal(rotation.exhausted(0)?.code, "AEAD_LIMIT");
  rotation.opened(0, 0);
  assert.equal(rotation.exhausted(0), undefined);

  const bytes = new KeyRotation(LIMITS, 0);
  bytes.sealed(3999);
  assert.equal(bytes.exhausted(0), undefined);
  bytes.sealed(1);
  assert.equal(bytes.exhausted(0)?.code, "AEAD_LIMIT");

  const time = new KeyRotation(LIMITS, 0);
  time.sealed(1);
  assert.equal(time.exhausted(1999), undefined);
  assert.equal(time.exhausted(2000)?.code, "AEAD_LIMIT");
});

test("the cause is the first limit that is reached, else the request; the peer's move is the peer's", () => {
  const cases: [string, { frames: number[]; atMs: number }][] = [
    ["bytes", { frames: [1000], atMs: 0 }],
    ["bytes", { frames: Array(10).fill(100), atMs: 500 }],
    ["packets", { frames: Array(10).fill(1), atMs: 500 }],
    ["time", { frames: [1], atMs: 500 }],
    ["request", { frames: [...Array(8).fill(1), 991], atMs: 499 }],
  ];
  for (const [cause, { frames, atMs }] of cases) {
    const rotation = new KeyRotation(LIMITS, 0);
    rotation.opened(0, 0);
    for (const bytes of frames) rotation.sealed(bytes);
    assert.equal(rotation.start(atMs), true);
    assert.equal(rotation.cause, cause);
    rotation.sealed(1000);
    rotation.opened(2, atMs);
    assert.equal(rotation.cause, "peer");
  }
});
