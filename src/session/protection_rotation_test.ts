import { test } from "node:test";
import assert from "node:assert/strict";
import {
  acquaint,
  openFrame,
  PADDING,
  protectionPair,
  rotation,
  sealFrame,
} from "./protection_fixture_test.ts";

for (const reliable of [false, true]) {
  const title = reliable ? "reliable" : "udp";

  test(`rotation, ${title}: on request, answered, again and again`, () => {
    const { a, b } = protectionPair({ reliable });
    acquaint(a, b);
    for (let epoch = 1; epoch <= 300; epoch++) {
      const [first, second] = epoch % 2 === 0 ? [a, b] : [b, a];
      first.requestRotation();
      assert.equal(first.rotationDue(epoch), true);
      assert.equal(first.beforeSend(epoch), undefined);
      assert.equal(first.sendEpoch, epoch);
      assert.equal(first.rotationPending, true);
      assert.equal(first.answerDue, false);
      assert.notEqual(openFrame(second, sealFrame(first, rotation(epoch)), epoch), undefined);
      assert.equal(first.rotationPending, false);
      assert.equal(second.onPeerRotation(epoch), undefined);
      assert.equal(second.sendEpoch, epoch, "nothing more goes out under the old epoch");
      assert.equal(second.answerDue, true);
      assert.equal(first.startRotation(epoch), false, "not before the answer");
      assert.equal(second.startRotation(epoch), false);
      assert.notEqual(openFrame(first, sealFrame(second, rotation(epoch)), epoch), undefined);
      assert.equal(second.answerDue, false);
      assert.equal(first.recvEpoch, epoch);
      if (reliable) assert.equal(first.nextTimeout(), undefined);
    }
  });
}

test("rotation: a limit starts it by itself, and four times the limit without an answer ends the session", () => {
  const limits = { bytes: 1 << 20, ms: 3_600_000, packets: 5 };
  const { a, b } = protectionPair({ reliable: true, limits });
  for (let i = 0; i < 19; i++) {
    assert.equal(a.beforeSend(0), undefined);
    sealFrame(a, PADDING);
  }
  assert.equal(a.rotationDue(0), true);
  assert.equal(a.rotationBlocked(0), true);
  assert.equal(a.holdsData(0), true);
  sealFrame(a, PADDING);
  assert.equal(a.beforeSend(0)?.code, "AEAD_LIMIT");
  assert.equal(a.sendEpoch, 0);
  assert.notEqual(openFrame(a, sealFrame(b, PADDING)), undefined);
  assert.equal(a.rotationBlocked(0), false);
  assert.equal(a.holdsData(0), false);
  assert.equal(a.beforeSend(0), undefined);
  assert.equal(a.sendEpoch, 1);
});

test("rotation: both at once", () => {
  const { a, b } = protectionPair();
  acquaint(a, b);
  assert.equal(a.startRotation(0), true);
  assert.equal(b.startRotation(0), true);
  const fromA = sealFrame(a, rotation(1));
  const fromB = sealFrame(b, rotation(1));
  assert.notEqual(openFrame(b, fromA), undefined);
  assert.notEqual(openFrame(a, fromB), undefined);
  assert.equal(a.rotationPending || b.rotationPending, false);
  assert.equal(a.sendEpoch, 1);
});

test("rotation: KEY_ROTATION of another number", () => {
  const { a, b } = protectionPair();
  acquaint(a, b);
  assert.equal(b.onPeerRotation(0), undefined);
  assert.equal(b.onPeerRotation(1)?.code, "KEY_ROTATION_ERROR");
  a.startRotation(0);
  assert.notEqual(openFrame(b, sealFrame(a, rotation(2))), undefined);
  assert.equal(b.onPeerRotation(2)?.code, "KEY_ROTATION_ERROR");
  assert.equal(b.onPeerRotation(1), undefined);
});

test("rotation, udp: old frames open for max(3 PTO, 1 s), then their keys are gone", () => {
  for (const [ptoMs, life] of [[100, 1000], [500, 1500]] as const) {
    const { a, b } = protectionPair();
    b.ptoMs = ptoMs;
    acquaint(a, b);
    const late = [sealFrame(a, PADDING), sealFrame(a, PADDING), sealFrame(a, PADDING)] as const;
    a.startRotation(10);
    assert.equal(b.nextTimeout(), undefined);
    assert.notEqual(openFrame(b, sealFrame(a, rotation(1)), 10), undefined);
    assert.equal(b.nextTimeout(), 10 + life);
    assert.notEqual(openFrame(b, late[0], 11), undefined);
    assert.equal(b.lastEpoch, 0);
    assert.equal(b.recvEpoch, 1);
    b.onTimeout(10 + life - 1);
    assert.notEqual(openFrame(b, late[1], 10 + life - 1), undefined);
    assert.equal(openFrame(b, late[2], 10 + life), undefined, "even when the timer is late");
    assert.equal(b.lastFailure, "epoch");
    assert.equal(b.nextTimeout(), undefined);
    assert.equal(b.lastError, undefined);
  }
});

test("rotation, udp: epochs out of order with their sequences are an error", () => {
  // A sender that breaks the rule: a clone of `a` stays at epoch 0 and goes on counting.
  const { a, b } = protectionPair();
  const rogue = protectionPair().a;
  acquaint(a, b);
  a.startRotation(0);
  assert.notEqual(openFrame(b, sealFrame(a, rotation(1))), undefined);
  for (let i = 0; i < 2; i++) sealFrame(rogue, PADDING);
  assert.equal(openFrame(b, sealFrame(rogue, PADDING)), undefined);
  assert.equal(b.lastFailure, "old_epoch");
  assert.equal(b.lastError?.code, "KEY_ROTATION_ERROR");

  // The same seen from the other side: the frame of the new epoch comes last, with a sequence below.
  const late = protectionPair();
  const other = protectionPair().a;
  acquaint(late.a, late.b);
  late.a.startRotation(0);
  for (let i = 0; i < 5; i++) sealFrame(other, PADDING);
  assert.notEqual(openFrame(late.b, sealFrame(other, PADDING)), undefined);
  assert.equal(openFrame(late.b, sealFrame(late.a, rotation(1))), undefined);
  assert.equal(late.b.lastFailure, "old_epoch");
  assert.equal(late.b.recvEpoch, 0, "nothing moved");
});

test("rotation, udp: the order still counts after the old keys are gone", () => {
  const { a, b } = protectionPair();
  const rogue = protectionPair();
  acquaint(a, b);
  acquaint(rogue.a, rogue.b);
  rogue.a.startRotation(0);
  const ahead = sealFrame(rogue.a, rotation(1));
  const low = sealFrame(rogue.a, PADDING);
  for (let i = 0; i < 20; i++) sealFrame(a, PADDING);
  assert.notEqual(openFrame(b, sealFrame(a, PADDING)), undefined);
  a.startRotation(0);
  assert.notEqual(openFrame(b, sealFrame(a, rotation(1)), 0), undefined);
  b.onTimeout(1000);
  assert.equal(b.nextTimeout(), undefined);
  for (const frame of [ahead, low]) {
    assert.equal(openFrame(b, frame, 1000), undefined);
    assert.equal(b.lastFailure, "old_epoch");
  }
});

test("rotation, udp: an epoch may be lost whole", () => {
  // b answers a's rotation, the answer is lost, and b rotates again: SPEC 7 allows it, since a was heard in epoch 1.
  const { a, b } = protectionPair();
  acquaint(a, b);
  a.startRotation(0);
  assert.notEqual(openFrame(b, sealFrame(a, rotation(1))), undefined);
  const lost = sealFrame(b, rotation(1));
  assert.equal(b.startRotation(0), true);
  assert.notEqual(openFrame(a, sealFrame(b, rotation(2))), undefined);
  assert.equal(a.recvEpoch, 2);
  assert.equal(a.sendEpoch, 2);
  assert.notEqual(openFrame(a, lost), undefined, "and it may still come late");
  assert.equal(a.nextTimeout(), 1000);
  assert.notEqual(openFrame(b, sealFrame(a, rotation(2))), undefined);
});

test("rotation, udp: a peer that rotates on every exchange cannot pile up keys", () => {
  const { a, b } = protectionPair();
  acquaint(a, b);
  const late = sealFrame(a, PADDING);
  for (let epoch = 1; epoch <= 5; epoch++) {
    assert.equal(a.startRotation(0), true);
    assert.notEqual(openFrame(b, sealFrame(a, rotation(epoch)), 0), undefined);
    assert.notEqual(openFrame(a, sealFrame(b, rotation(epoch)), 0), undefined);
  }
  assert.equal(openFrame(b, late, 0), undefined);
  assert.equal(b.lastFailure, "epoch");
});

test("rotation, reliable: nothing of the old epoch is taken", () => {
  const { a, b } = protectionPair({ reliable: true });
  const rogue = protectionPair({ reliable: true }).a;
  acquaint(a, b);
  a.startRotation(0);
  assert.notEqual(openFrame(b, sealFrame(a, rotation(1))), undefined);
  sealFrame(rogue, PADDING);
  sealFrame(rogue, PADDING);
  assert.equal(openFrame(b, sealFrame(rogue, PADDING)), undefined);
  assert.equal(b.lastFailure, "epoch");
  assert.equal(b.lastError?.code, "KEY_ROTATION_ERROR");
});
