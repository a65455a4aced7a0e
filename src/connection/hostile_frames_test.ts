import { test } from "node:test";
import assert from "node:assert/strict";
import { encodeFrame } from "../codec/frame.ts";
import { type ErrorCode, ERRORS } from "../errors.ts";
import { pair } from "../testing/pair.ts";
import type { ConnectionOptions } from "./config.ts";
import { Forger, payloadOf } from "./forger_for_test.ts";

const NONE = new Uint8Array(0);
const PING = { type: "ping", token: new Uint8Array(8).fill(7) } as const;

/** Stream ids as the attacker sees them. */
interface Streams {
  readonly first: number;
  readonly third: number;
  /** The first one of the victim. */
  readonly foreign: number;
}

interface Attack {
  readonly name: string;
  readonly code: ErrorCode;
  readonly options?: ConnectionOptions;
  readonly bytes: (
    forger: Forger,
    sessionId: Uint8Array,
    streams: Streams,
  ) => Uint8Array | Uint8Array[];
}

function record(...bytes: number[]): (forger: Forger) => Uint8Array {
  return (forger) => forger.frame(2, new Uint8Array(bytes));
}

function unprotected(sessionId: Uint8Array, type: number): Uint8Array {
  return encodeFrame({
    type,
    flags: 0,
    sessionId,
    sequence: 0,
    timestamp: 0,
    streamId: 0,
    metadata: NONE,
    payload: new Uint8Array(40),
  });
}

/** Every attack comes from a peer with the right keys, or from somebody on its path, in an open session. */
const ATTACKS: Attack[] = [
  {
    name: "an unprotected DATA frame",
    code: "PROTOCOL",
    bytes: (_, sessionId) => unprotected(sessionId, 0x01),
  },
  {
    name: "an unprotected custom frame",
    code: "PROTOCOL",
    bytes: (_, sessionId) => unprotected(sessionId, 0x80),
  },
  {
    name: "a HANDSHAKE frame in an open session",
    code: "PROTOCOL",
    bytes: () => unprotected(new Uint8Array(8), 0x05),
  },
  {
    name: "a replayed frame",
    code: "PROTOCOL",
    bytes: (forger) => {
      const frame = forger.control(PING);
      return [frame, frame.slice()];
    },
  },
  {
    name: "a gap in the sequence",
    code: "PROTOCOL",
    bytes: (forger) => {
      forger.control(PING);
      return forger.control(PING);
    },
  },
  {
    name: "another session's id",
    code: "PROTOCOL",
    bytes: (forger) => {
      const frame = forger.control(PING);
      frame[5] = (frame[5] ?? 0) ^ 1;
      return frame;
    },
  },
  {
    name: "a body above max_frame",
    code: "FRAME_ENCODING",
    options: { maxFrame: 1200 },
    bytes: (forger) => forger.frame(0x01, new Uint8Array(1200 - 47)),
  },
  {
    name: "a body length above 2 MiB",
    code: "FRAME_ENCODING",
    bytes: () => new Uint8Array([0x53, 0x54, 0x81, 0x80, 0x80, 0x01]),
  },
  { name: "bad magic", code: "PROTOCOL", bytes: () => new Uint8Array([0x53, 0x55]) },
  {
    name: "a body of 30 bytes",
    code: "PROTOCOL",
    bytes: () => new Uint8Array([0x53, 0x54, 30]),
  },
  {
    name: "a frame too short for a tag",
    code: "PROTOCOL",
    bytes: (_, sessionId) =>
      encodeFrame({
        type: 2,
        flags: 0,
        sessionId,
        sequence: 0,
        timestamp: 0,
        streamId: 0,
        metadata: new Uint8Array(1),
        payload: new Uint8Array(15),
      }),
  },
  {
    name: "an epoch without keys",
    code: "KEY_ROTATION_ERROR",
    bytes: (_, sessionId) =>
      encodeFrame({
        type: 2,
        flags: 0,
        sessionId,
        sequence: 0,
        timestamp: 0,
        streamId: 0,
        metadata: new Uint8Array([9]),
        payload: new Uint8Array(40),
      }),
  },
  ...[0x00, 0x04, 0x06, 0x40, 0x7f].map((type): Attack => ({
    name: `frame type 0x${type.toString(16)}`,
    code: "PROTOCOL",
    bytes: (forger) => forger.frame(type, new Uint8Array(4)),
  })),
  ...[0x01, 0x40, 0x80].flatMap((flag): Attack[] => [
    {
      name: `flag 0x${flag.toString(16)} on STREAM`,
      code: "PROTOCOL",
      bytes: (forger) => forger.frame(0x03, new Uint8Array([0, 0, 1]), flag, 1),
    },
    {
      name: `flag 0x${flag.toString(16)} on DATA`,
      code: "PROTOCOL",
      bytes: (forger) => forger.frame(0x01, new Uint8Array(1), flag, 1),
    },
    {
      name: `flag 0x${flag.toString(16)} in STREAM_DATA`,
      code: "PROTOCOL",
      bytes: record(0x10, 1, flag, 0, 0, 0),
    },
  ]),
  {
    name: "CONTROL with a flag",
    code: "PROTOCOL",
    bytes: (forger) => forger.frame(2, payloadOf(PING), 0x10),
  },
  {
    name: "CONTROL with a stream id",
    code: "PROTOCOL",
    bytes: (forger) => forger.frame(2, payloadOf(PING), 0, 1),
  },
  { name: "an empty CONTROL", code: "PROTOCOL", bytes: (forger) => forger.frame(2, NONE) },
  { name: "an unknown record", code: "PROTOCOL", bytes: record(0x12) },
  { name: "record 0B, which nobody assigned", code: "PROTOCOL", bytes: record(0x0b, 0) },
  { name: "a PING cut short", code: "PROTOCOL", bytes: record(0x01, 1, 2, 3) },
  { name: "a varint that is not minimal", code: "PROTOCOL", bytes: record(0x0a, 0x80, 0x00) },
  { name: "a reason of 257 bytes", code: "PROTOCOL", bytes: record(0x05, 0, 0x81, 0x02) },
  {
    name: "ACK on a reliable transport",
    code: "PROTOCOL",
    bytes: (forger) => forger.control({ type: "ack", largest: 0, delayUs: 0, ranges: [[0, 0]] }),
  },
  {
    name: "KEY_ROTATION of another epoch",
    code: "KEY_ROTATION_ERROR",
    bytes: (forger) => forger.control({ type: "keyRotation", epoch: 1 }),
  },
  {
    name: "STREAM on stream 0",
    code: "STREAM_STATE",
    bytes: (forger) => forger.frame(0x03, new Uint8Array([0, 0, 1]), 0, 0),
  },
  {
    name: "STREAM on a stream that only this side may open",
    code: "STREAM_STATE",
    bytes: (forger, _, { foreign }) => forger.frame(0x03, new Uint8Array([0, 0, 1]), 0, foreign),
  },
  {
    name: "more streams than allowed",
    code: "STREAM_LIMIT",
    options: { maxStreams: 2 },
    bytes: (forger, _, { third }) => forger.frame(0x03, new Uint8Array([0, 0, 1]), 0, third),
  },
  {
    name: "more bytes than the stream's credit",
    code: "FLOW_CONTROL",
    options: { maxStreamData: 100 },
    bytes: (forger, _, { first }) => forger.frame(0x03, new Uint8Array(2 + 101), 0, first),
  },
  {
    name: "more bytes than the session's credit",
    code: "FLOW_CONTROL",
    options: { maxData: 100 },
    bytes: (forger, _, { first }) => forger.frame(0x03, new Uint8Array(2 + 101), 0, first),
  },
  {
    name: "bytes behind the final size",
    code: "FINAL_SIZE",
    bytes: (forger, _, { first }) => [
      forger.frame(0x03, new Uint8Array([0, 5, 1]), 0x04, first),
      forger.frame(0x03, new Uint8Array([0, 9, 1]), 0, first),
    ],
  },
  {
    name: "delivery 3",
    code: "PROTOCOL",
    bytes: (forger, _, { first }) => forger.frame(0x03, new Uint8Array([3, 0, 1]), 0, first),
  },
  {
    name: "a stream payload without offset",
    code: "PROTOCOL",
    bytes: (forger, _, { first }) => forger.frame(0x03, new Uint8Array([0]), 0, first),
  },
  {
    name: "a datagram above max_datagram",
    code: "PROTOCOL",
    options: { maxDatagram: 10 },
    bytes: (forger) => forger.frame(0x01, new Uint8Array(11)),
  },
  {
    name: "a custom frame where none are taken",
    code: "PROTOCOL",
    options: { maxDatagram: 0 },
    bytes: (forger) => forger.frame(0x80, NONE),
  },
  {
    name: "a DATAGRAM record above max_datagram",
    code: "PROTOCOL",
    options: { maxDatagram: 10 },
    bytes: (forger) => forger.control({ type: "datagram", channel: 0, data: new Uint8Array(11) }),
  },
];

for (const side of ["a", "b"] as const) {
  test(`every breach closes with its code, seen from the ${side === "a" ? "listener" : "dialler"}`, () => {
    for (const { name, code, bytes, options = {} } of ATTACKS) {
      const run = pair({ options }).establish();
      const sessionId = run.a.session?.sessionId ?? assert.fail();
      const forger = new Forger(run, side);
      const streams = side === "a"
        ? { first: 1, third: 5, foreign: 2 }
        : { first: 2, third: 6, foreign: 1 };
      const attack = bytes(forger, sessionId, streams);
      forger.give(...(Array.isArray(attack) ? attack : [attack]));
      assert.equal(forger.closeCode, ERRORS[code].wire, `${name}: wrong code on the wire`);
      assert.equal(forger.victim.state, "closing", name);
      assert.equal(forger.victim.closeFacts?.error?.code, code, name);
      assert.equal(forger.victim.closeFacts?.remote, false, name);
      const rejected = Object.values(forger.victim.stats().rejected);
      assert.ok(rejected.length > 0, `${name}: not counted`);
      forger.victim.onTimeout(run.clock.nowMs + 1000);
      assert.equal(forger.victim.state, "closed", name);
    }
  });
}

test("the peer of a breach learns the code and ends too", () => {
  const run = pair().establish();
  const forger = new Forger(run);
  forger.give(forger.frame(0x44, NONE));
  assert.equal(forger.received.length, 1, "one last frame: SESSION_CLOSE");
  forger.give(forger.control({ type: "sessionClose", code: 0, reason: NONE }));
  assert.equal(forger.victim.state, "closed");
  assert.equal(forger.victim.closeFacts?.error?.code, "PROTOCOL");
});

test("records in front of a malformed one count, those behind it do not", () => {
  const forger = new Forger(pair().establish());
  const datagram = (byte: number) =>
    payloadOf({ type: "datagram", channel: 1, data: new Uint8Array([byte]) });
  forger.give(
    forger.frame(2, new Uint8Array([...datagram(1), 0x7f, ...datagram(2)])),
  );
  assert.deepEqual(forger.victim.nextDatagram()?.data, new Uint8Array([1]));
  assert.equal(forger.victim.nextDatagram(), undefined);
  assert.equal(forger.closeCode, 0x01);
});

test("a truncated frame waits; the end of the transport is TRUNCATED", () => {
  const forger = new Forger(pair().establish());
  const frame = forger.control(PING);
  forger.give(frame.subarray(0, frame.length - 1));
  assert.equal(forger.victim.state, "established");
  forger.victim.transportEnded();
  assert.equal(forger.victim.closeFacts?.error?.code, "TRUNCATED");
});

test("a frame may be split over chunks of a stream but not over messages", () => {
  const stream = new Forger(pair().establish());
  for (const byte of stream.control(PING)) stream.give(new Uint8Array([byte]));
  assert.equal(stream.received[0]?.records[0]?.type, "pong");

  const messages = new Forger(pair().establish());
  const two = [messages.control(PING), messages.control(PING)];
  messages.giveMessage(new Uint8Array([...two[0] as Uint8Array, ...two[1] as Uint8Array]));
  const pongs = messages.received.flatMap(({ records }) => records);
  assert.equal(pongs.length, 2, "several whole frames in one message are fine");
  const split = messages.control(PING);
  messages.giveMessage(split.subarray(0, 20));
  assert.equal(messages.closeCode, 0x01);
});

test("nothing of an unverified frame is acted upon", () => {
  const forger = new Forger(pair().establish());
  const frame = forger.control({ type: "datagram", channel: 1, data: new Uint8Array(9) }, PING);
  frame[frame.length - 1] = (frame[frame.length - 1] ?? 0) ^ 1;
  forger.give(frame);
  assert.equal(forger.closeCode, 0x02);
  assert.equal(forger.victim.nextDatagram(), undefined);
  assert.ok(!forger.received.some(({ records }) => records.some(({ type }) => type === "pong")));
  assert.deepEqual(forger.victim.stats().rejected, { frame_crypto: 1, CRYPTO: 1 });
});

test("a flipped bit in any byte of a protected frame closes the session, and nothing throws", () => {
  const length = new Forger(pair().establish()).control(PING).length;
  const codes = new Set<number | undefined>();
  for (let at = 0; at < length; at++) {
    const bit = 1 << (at % 8);
    const forger = new Forger(pair().establish());
    const frame = forger.control(PING);
    frame[at] = (frame[at] ?? 0) ^ bit;
    // Bytes behind it: a longer body length would only wait for more.
    forger.give(frame, new Uint8Array(200));
    codes.add(forger.closeCode);
    assert.ok([0x01, 0x02, 0x17, 0x1c].includes(forger.closeCode ?? 0), `byte ${at}`);
    assert.ok(!forger.received.some(({ records }) => records.some(({ type }) => type === "pong")));
  }
  assert.ok(codes.has(0x02) && codes.has(0x01));
});

test("what arrives behind our SESSION_CLOSE is read for the peer's close alone", () => {
  const run = pair().establish();
  const forger = new Forger(run);
  forger.victim.close(run.clock.nowMs, 0x100);
  forger.take();
  forger.give(forger.control({ type: "datagram", channel: 0, data: NONE }), forger.control(PING));
  assert.equal(forger.victim.nextDatagram(), undefined);
  assert.equal(forger.received.length, 1);
  assert.equal(forger.victim.state, "closing");
  forger.give(new Uint8Array([1, 2, 3]));
  assert.equal(forger.victim.state, "closed");
  assert.equal(forger.victim.closeFacts?.code, 0x100, "its own close stands");
  assert.doesNotThrow(() => forger.give(new Uint8Array(10)));
});
