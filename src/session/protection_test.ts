import { test } from "node:test";
import assert from "node:assert/strict";
import { encodeFrame, FRAME_HEADROOM, FrameHeader, parseFrameHeader } from "../codec/frame.ts";
import { encodeVarint } from "../codec/varint.ts";
import { SttError } from "../errors.ts";
import { Protection } from "./protection.ts";
import {
  acquaint,
  headerOf,
  openFrame,
  PADDING,
  protectionPair,
  provider,
  rotation,
  sealFrame,
} from "./protection_fixture_test.ts";
import { endsInResetToken } from "./reset_token.ts";

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
