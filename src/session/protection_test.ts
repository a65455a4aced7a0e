import { test } from "node:test";
import assert from "node:assert/strict";
import { encodeFrame, FRAME_HEADROOM, FrameHeader, parseFrameHeader } from "../codec/frame.ts";
import { encodeVarint } from "../codec/varint.ts";
import { SttError } from "../errors.ts";
import { Protection } from "./protection.ts";
import {
  headerOf,
  openFrame,
  protectionPair,
  provider,
  sealFrame,
} from "./protection_fixture_test.ts";
import { endsInResetToken } from "./reset_token.ts";

const PADDING = new Uint8Array([0]);

function rotation(epoch: number): Uint8Array {
  return new Uint8Array([4, ...encodeVarint(epoch)]);
}

/** Both have heard each other in the present epoch. */
function acquaint(a: Protection, b: Protection, nowMs = 0): void {
  assert.notEqual(openFrame(b, sealFrame(a, PADDING), nowMs), undefined);
  assert.notEqual(openFrame(a, sealFrame(b, PADDING), nowMs), undefined);
}

for (const suite of [1, 2]) {
  test(`protection: suite ${suite} carries payloads of any size both ways`, () => {
    const { a, b } = protectionPair({ suite, reliable: true });
    for (const size of [0, 1, 63, 1200, 65_000]) {
      const payload = provider.randomBytes(size);
      assert.deepEqual(openFrame(b, sealFrame(a, payload, 3, 2, 1)), payload);
      assert.deepEqual(openFrame(a, sealFrame(b, payload, 0x80, 0xff, 9)), payload);
    }
    assert.equal(a.nextSequence, 5);
    assert.equal(a.lastSequence, 4);
    assert.equal(b.highestReceived, 4);
    assert.equal(b.lastFailure, undefined);
  });
}

test("protection: a frame anywhere in a datagram opens", () => {
  const { a, b } = protectionPair();
  const frame = sealFrame(a, PADDING);
  const datagram = new Uint8Array(20 + frame.length);
  datagram.set(frame, 20);
  const header = new FrameHeader();
  parseFrameHeader(datagram, 20, datagram.length, 65_536, header);
  assert.deepEqual(b.open(datagram, header, 0), PADDING);
});

test("protection: suites without an AEAD are refused", () => {
  assert.throws(() => protectionPair({ suite: 127 }), { code: "UNSUPPORTED" });
  assert.throws(() => protectionPair({ suite: 0 }), { code: "UNSUPPORTED" });
});

test("protection: the secrets are taken over and wiped", () => {
  const sendSecret = new Uint8Array(32).fill(1);
  const recvSecret = new Uint8Array(32).fill(2);
  new Protection({
    provider,
    suite: 1,
    sessionId: new Uint8Array(8),
    sendSecret,
    recvSecret,
    reliable: true,
    nowMs: 0,
  });
  assert.deepEqual(sendSecret, new Uint8Array(32));
  assert.deepEqual(recvSecret, new Uint8Array(32));
});

test("protection: timestamps are written only when asked for", () => {
  const off = protectionPair().a;
  assert.equal(headerOf(sealFrame(off, PADDING, 2, 0, 0, 99)).timestamp, 0);
  const on = protectionPair({ timestamps: true }).a;
  assert.equal(headerOf(sealFrame(on, PADDING, 2, 0, 0, 99)).timestamp, 99);
});

test("protection: every flipped bit of a frame is refused", () => {
  const { a, b } = protectionPair();
  const frame = sealFrame(a, new Uint8Array([1, 2, 3]), 3, 2, 5);
  for (let bit = 0; bit < frame.length * 8; bit++) {
    const bad = frame.slice();
    bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ 1 << (bit & 7);
    let header;
    try {
      header = headerOf(bad);
    } catch (error) {
      assert.ok(error instanceof SttError);
      continue;
    }
    assert.equal(b.open(bad, header, 0), undefined, `bit ${bit}`);
  }
  assert.notEqual(openFrame(b, frame), undefined, "the genuine frame still opens");
});

test("protection: a frame does not open at its sender", () => {
  const { a } = protectionPair();
  assert.equal(openFrame(a, sealFrame(a, PADDING)), undefined);
  assert.equal(a.lastFailure, "crypto");
});

test("protection: reliable transports close on the first wrong frame", () => {
  const gap = protectionPair({ reliable: true });
  sealFrame(gap.a, PADDING);
  assert.equal(openFrame(gap.b, sealFrame(gap.a, PADDING)), undefined);
  assert.equal(gap.b.lastFailure, "gap");
  assert.equal(gap.b.lastError?.code, "PROTOCOL");

  const repeat = protectionPair({ reliable: true });
  const frame = sealFrame(repeat.a, PADDING);
  assert.notEqual(openFrame(repeat.b, frame), undefined);
  assert.equal(openFrame(repeat.b, frame), undefined);
  assert.equal(repeat.b.lastError?.code, "PROTOCOL");

  const forged = protectionPair({ reliable: true });
  const bad = sealFrame(forged.a, PADDING);
  bad[bad.length - 1] = (bad[bad.length - 1] ?? 0) ^ 1;
  assert.equal(openFrame(forged.b, bad), undefined);
  assert.equal(forged.b.lastFailure, "crypto");
  assert.equal(forged.b.lastError?.code, "CRYPTO");
  assert.notEqual(sealFrame(forged.b, PADDING), undefined, "SESSION_CLOSE can still be sealed");
});

test("protection: what is not a protected frame of this session", () => {
  const sessionId = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]);
  const base = {
    type: 2,
    flags: 0,
    sessionId,
    sequence: 0,
    timestamp: 0,
    streamId: 0,
    metadata: new Uint8Array([0]),
    payload: new Uint8Array(20),
  };
  const wrong = {
    handshake: { ...base, type: 5 },
    "other session, first half": {
      ...base,
      sessionId: new Uint8Array([0, 2, 3, 4, 5, 6, 7, 8]),
    },
    "other session, second half": {
      ...base,
      sessionId: new Uint8Array([1, 2, 3, 4, 5, 6, 7, 0]),
    },
    "no metadata": { ...base, metadata: new Uint8Array(0) },
    "unfinished varint": { ...base, metadata: new Uint8Array([0x80]) },
    "non-minimal varint": { ...base, metadata: new Uint8Array([0x81, 0x00]) },
    "varint and more": { ...base, metadata: new Uint8Array([0x00, 0x00]) },
    "two-byte varint and more": { ...base, metadata: new Uint8Array([0x80, 0x01, 0x00]) },
    "varint above 2^53": { ...base, metadata: encodeVarint(2n ** 60n) },
    "no room for a tag": { ...base, payload: new Uint8Array(15) },
  };
  for (const reliable of [false, true]) {
    const { b } = protectionPair({ reliable });
    for (const [name, frame] of Object.entries(wrong)) {
      assert.equal(openFrame(b, encodeFrame(frame)), undefined, name);
      assert.equal(b.lastFailure, "unprotected", name);
      assert.equal(b.lastError?.code, reliable ? "PROTOCOL" : undefined, name);
    }
    assert.equal(openFrame(b, encodeFrame(base)), undefined);
    assert.equal(b.lastFailure, "crypto");
    assert.equal(b.failures, 1);
    const far = { ...base, metadata: encodeVarint(2 ** 40) };
    assert.equal(openFrame(b, encodeFrame(far)), undefined);
    assert.equal(b.lastFailure, "epoch", "far epochs cost no derivation");
  }
});

test("protection: UDP takes any order once, inside of the window", () => {
  const { a, b } = protectionPair();
  const first = sealFrame(a, PADDING);
  const second = sealFrame(a, PADDING);
  const third = sealFrame(a, PADDING);
  assert.notEqual(openFrame(b, third), undefined);
  assert.notEqual(openFrame(b, first), undefined);
  assert.equal(openFrame(b, first), undefined);
  assert.equal(b.lastFailure, "seen");
  assert.equal(b.lastError, undefined);
  for (let i = 0; i < 8192; i++) sealFrame(a, PADDING);
  assert.notEqual(openFrame(b, sealFrame(a, PADDING)), undefined);
  assert.equal(openFrame(b, second), undefined);
  assert.equal(b.lastFailure, "stale");
});

test("protection: AEAD_LIMIT after too many frames that do not verify (UDP)", () => {
  const { a, b } = protectionPair({ failureLimit: 3 });
  const forged = sealFrame(a, PADDING);
  forged[forged.length - 1] = (forged[forged.length - 1] ?? 0) ^ 1;
  for (const code of [undefined, undefined, "AEAD_LIMIT", "AEAD_LIMIT"]) {
    assert.equal(openFrame(b, forged), undefined);
    assert.equal(b.lastError?.code, code);
  }
  assert.equal(b.failures, 4);
});

test("protection: seal refuses what would break a rule", () => {
  const { a, b } = protectionPair();
  const buffer = new Uint8Array(FRAME_HEADROOM + 20);
  const internal = { code: "INTERNAL" };
  assert.throws(() => a.seal(buffer, FRAME_HEADROOM, FRAME_HEADROOM + 4, 5, 0, 0, 0), internal);
  assert.throws(() => a.seal(buffer, FRAME_HEADROOM, FRAME_HEADROOM + 5, 2, 0, 0, 0), internal);
  assert.throws(() => a.seal(buffer, 9, 8, 2, 0, 0, 0), internal);
  assert.throws(() => a.seal(buffer, 4, 8, 2, 0, 0, 0), internal);
  assert.equal(a.nextSequence, 0, "no sequence is spent");
  acquaint(a, b);
  assert.equal(a.startRotation(0), true);
  assert.throws(() => sealFrame(a, PADDING, 3, 0, 1), internal);
  assert.notEqual(sealFrame(a, rotation(1)), undefined);
});

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

test("protection: after wipe nothing seals, opens or rotates", () => {
  const { a, b } = protectionPair();
  acquaint(a, b);
  const frame = sealFrame(a, PADDING);
  b.wipe();
  b.wipe();
  assert.throws(() => sealFrame(b, PADDING), { code: "INTERNAL" });
  assert.equal(openFrame(b, frame), undefined);
  assert.equal(b.lastFailure, "wiped");
  assert.equal(b.lastError, undefined);
  assert.equal(b.startRotation(0), false);
  assert.equal(b.nextTimeout(), undefined);
  b.onTimeout(1e9);
  a.wipe();
  const header = headerOf(frame);
  assert.equal(a.open(frame, header, 0), undefined);
});

test("protection: nothing secret shows in inspection or messages", () => {
  const { a } = protectionPair();
  const shown = JSON.stringify(a) + String(a);
  assert.doesNotMatch(shown, /secret|key|iv/i);
});

test("reset token: the last 16 bytes decide", () => {
  const token = new Uint8Array(16).fill(7);
  const datagram = new Uint8Array(80);
  datagram.set(token, 64);
  assert.equal(endsInResetToken(provider, datagram, token), true);
  assert.equal(endsInResetToken(provider, token, token), true);
  for (let i = 64; i < 80; i++) {
    const other = datagram.slice();
    other[i] = (other[i] ?? 0) ^ 1;
    assert.equal(endsInResetToken(provider, other, token), false);
  }
  assert.equal(endsInResetToken(provider, datagram, undefined), false);
  assert.equal(endsInResetToken(provider, datagram.subarray(65), token), false);
  assert.equal(endsInResetToken(provider, datagram, token.subarray(1)), false);
  assert.equal(endsInResetToken(provider, datagram, new Uint8Array(0)), false);
});
