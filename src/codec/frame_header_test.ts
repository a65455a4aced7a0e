import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FRAME_MAX_BODY, TAG_BYTES } from "../constants.ts";
import {
  decodeExactFrame,
  encodeFrame,
  FRAME_HEADROOM,
  FrameHeader,
  parseFrameHeader,
  writeHeaderBefore,
} from "./frame.ts";
import { fromHex } from "./hex.ts";
import { encodeVarint } from "./varint.ts";

const SESSION_ID = fromHex("f1f2f3f4f5f6f7f8");
const fields = fc.record({
  type: fc.nat(255),
  flags: fc.nat(255),
  sequence: fc.oneof(fc.nat(300), fc.maxSafeNat()),
  timestamp: fc.oneof(fc.nat(300), fc.maxSafeNat()),
  streamId: fc.nat(0xffff_ffff),
  epoch: fc.oneof(fc.nat(300), fc.maxSafeNat()),
  length: fc.oneof(fc.nat(300), fc.integer({ min: 16_000, max: 17_000 })),
  before: fc.nat(5),
  behind: fc.nat(5),
});

test("frame header: written in place, it is what the general codec writes", () => {
  fc.assert(fc.property(fields, (f) => {
    const payloadStart = FRAME_HEADROOM + f.before;
    const end = payloadStart + f.length + TAG_BYTES;
    const buffer = new Uint8Array(end + f.behind).fill(0xee);
    const start = writeHeaderBefore(
      buffer,
      payloadStart,
      f.length + TAG_BYTES,
      f.type,
      f.flags,
      SESSION_ID,
      f.sequence,
      f.timestamp,
      f.streamId,
      f.epoch,
    );
    assert.ok(start >= f.before, "FRAME_HEADROOM is enough");
    const frame = {
      type: f.type,
      flags: f.flags,
      sessionId: SESSION_ID,
      sequence: f.sequence,
      timestamp: f.timestamp,
      streamId: f.streamId,
      metadata: encodeVarint(f.epoch),
      payload: new Uint8Array(f.length + TAG_BYTES).fill(0xee),
    };
    assert.deepEqual(buffer.subarray(start, end), encodeFrame(frame));
    assert.ok(buffer.subarray(0, start).every((byte) => byte === 0xee));

    const header = new FrameHeader();
    assert.equal(parseFrameHeader(buffer, start, buffer.length, FRAME_MAX_BODY, header), end);
    const { type, flags, sequence, timestamp, streamId, sessionId, metadata, payload } = header;
    const parsed = { type, flags, sessionId, sequence, timestamp, streamId, metadata, payload };
    assert.deepEqual(parsed, frame);
    assert.deepEqual(parsed, decodeExactFrame(buffer.subarray(start, end)));
    assert.deepEqual([header.start, header.payloadStart, header.end], [start, payloadStart, end]);
    assert.deepEqual([header.sessionIdHigh, header.sessionIdLow], [0xf1f2f3f4, 0xf5f6f7f8]);
    assert.deepEqual(header.associatedData, buffer.subarray(start, payloadStart));
  }));
});

test("frame header: the largest header takes all of the headroom", () => {
  const max = Number.MAX_SAFE_INTEGER;
  const length = FRAME_MAX_BODY - 39;
  const buffer = new Uint8Array(FRAME_HEADROOM);
  const start = writeHeaderBefore(
    buffer,
    FRAME_HEADROOM,
    length,
    1,
    0,
    SESSION_ID,
    max,
    max,
    0,
    max,
  );
  assert.equal(start, 0);
  const write = (from: number, size: number): number =>
    writeHeaderBefore(buffer, from, size, 1, 0, SESSION_ID, max, max, 0, max);
  assert.throws(() => write(FRAME_HEADROOM, length + 1), {
    code: "FRAME_TOO_LARGE",
    limit: FRAME_MAX_BODY,
  });
  assert.throws(() => write(FRAME_HEADROOM - 1, length), { code: "INTERNAL" });
  assert.throws(() => write(FRAME_HEADROOM + 1, length), { code: "INTERNAL" });
});

test("frame header: fields out of range are refused", () => {
  const write = (sequence: number, timestamp: number, streamId: number, epoch: number): number =>
    writeHeaderBefore(
      new Uint8Array(64),
      50,
      14,
      1,
      0,
      SESSION_ID,
      sequence,
      timestamp,
      streamId,
      epoch,
    );
  for (const value of [-1, 0.5, 2 ** 53, NaN]) {
    assert.throws(() => write(value, 0, 0, 0), { code: "FRAME_FIELD" });
    assert.throws(() => write(0, value, 0, 0), { code: "FRAME_FIELD" });
    assert.throws(() => write(0, 0, value, 0), { code: "FRAME_FIELD" });
    assert.throws(() => write(0, 0, 0, value), { code: "VARINT_RANGE" });
  }
});

test("frame header: a session never sees a sequence or timestamp above 2^53-1", () => {
  const frame = {
    type: 1,
    flags: 0,
    sessionId: SESSION_ID,
    sequence: 0,
    timestamp: 0,
    streamId: 0,
    metadata: new Uint8Array(0),
    payload: new Uint8Array(0),
  };
  const cases = [
    [{ ...frame, sequence: 2n ** 53n }, 13, "sequence"],
    [{ ...frame, timestamp: 2n ** 64n - 1n }, 21, "timestamp"],
  ] as const;
  for (const [wrong, offset, name] of cases) {
    const bytes = encodeFrame(wrong);
    assert.throws(
      () => parseFrameHeader(bytes, 0, bytes.length, FRAME_MAX_BODY, new FrameHeader()),
      {
        code: "FRAME_FIELD",
        offset,
        message: `cannot decode frame: ${name} exceeds 9007199254740991 (offset ${offset})`,
      },
    );
  }
});

test("frame header: nothing behind the end is looked at", () => {
  const bytes = encodeFrame({
    type: 1,
    flags: 0,
    sessionId: SESSION_ID,
    sequence: 0,
    timestamp: 0,
    streamId: 0,
    metadata: new Uint8Array(0),
    payload: new Uint8Array(9),
  });
  for (let end = 0; end < bytes.length; end++) {
    assert.throws(() => parseFrameHeader(bytes, 0, end, FRAME_MAX_BODY, new FrameHeader()), {
      code: "FRAME_INCOMPLETE",
    });
  }
});
