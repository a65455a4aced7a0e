import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeFrame } from "../codec/frame.ts";
import type { SessionRecord } from "../codec/records.ts";
import { FRAME_HANDSHAKE } from "../constants.ts";
import type { TraceEvent } from "../observe/trace_event.ts";
import { TraceBuffer, type Tracer } from "../observe/tracer.ts";
import { DatagramPair, type DatagramPairOptions } from "../testing/datagram_pair.ts";
import { pair } from "../testing/pair.ts";
import { ConnectionTrace } from "./tracing.ts";
import { dropReason, recordFacts, recordsOf } from "./trace_facts.ts";

type Kind = TraceEvent["type"];

function of<T extends Kind>(buffer: TraceBuffer, type: T): Extract<TraceEvent, { type: T }>[] {
  return buffer.events().map(({ event }) => event)
    .filter((event): event is Extract<TraceEvent, { type: T }> => event.type === type);
}

const SECRET = new TextEncoder().encode("do-not-trace-me!".repeat(4000));

/** A transfer over a path that loses packets, with a rotation, closed in order. */
function transfer(options: DatagramPairOptions): DatagramPair {
  const run = new DatagramPair({ seed: 5, link: { delayMs: 20, loss: 0.05 }, ...options });
  run.run(() => run.a.state === "established" && run.b?.state === "established");
  const id = run.a.streams.open(0) as number;
  run.a.streams.write(id, SECRET);
  run.a.streams.finish(id);
  run.a.rotateKeys();
  run.run(() => {
    while (run.b?.streams.has(id) && run.b.streams.read(id)) { /* takes it all */ }
    return run.b?.streams.has(id) === false;
  });
  run.a.close(run.clock.nowMs);
  run.run(() => run.a.finished && run.b?.finished === true);
  return run;
}

test("a reliable session is told from hello to its end, on both sides", () => {
  const [a, b] = [new TraceBuffer(), new TraceBuffer()];
  const run = pair({ tracers: { a, b } }).establish();
  const id = run.a.streams.open(0) as number;
  run.a.streams.write(id, SECRET.subarray(0, 64));
  run.settle();
  run.a.streams.reset(id, 0x123);
  run.a.ping();
  run.settle();
  run.a.close(run.clock.nowMs, 0x1ff, "do-not-trace-me!");
  run.settle();
  const steps = (buffer: TraceBuffer): string[] => of(buffer, "handshake").map(({ step }) => step);
  assert.deepEqual(steps(a), [
    "hello-sent",
    "response-received",
    "authenticated",
    "auth-proof-sent",
    "final-received",
    "established",
  ]);
  assert.deepEqual(steps(b), [
    "hello-received",
    "response-sent",
    "auth-proof-received",
    "authenticated",
    "accepted",
    "established",
    "final-sent",
  ]);
  assert.deepEqual(of(b, "stream").map(({ step, code }) => [step, code]), [
    ["opened", undefined],
    ["reset-received", 0x123],
  ]);
  assert.ok(of(a, "metrics").length > 0, "the round trip of the PING");
  assert.deepEqual(of(a, "session-closed"), [
    { type: "session-closed", code: "APPLICATION", wire: 0x1ff, remote: false },
  ]);
  assert.equal(of(b, "session-closed")[0]?.remote, true);
  const ofSession = of(a, "handshake").at(-1);
  assert.equal(ofSession?.sessionId, run.a.stats().sessionId);
  const told = JSON.stringify([a.events(), b.events()]);
  assert.ok(!told.includes("do-not-trace-me"), "words of the application are not told");
});

test("frames told are frames sent, and what is lost or acknowledged was sent", () => {
  const [a, b] = [new TraceBuffer(10_000), new TraceBuffer(10_000)];
  const run = transfer({ tracers: { a, b } });
  const stats = run.a.stats();
  const sent = of(a, "frame-sent");
  assert.equal(sent.length, stats.framesSent);
  assert.equal(sent.reduce((sum, { bytes }) => sum + bytes, 0), stats.bytesSent);
  const sequences = sent.filter(({ epoch }) => epoch !== undefined).map((frame) => frame.sequence);
  assert.deepEqual(sequences, sequences.map((_, index) => index));
  const known = new Set(sequences);
  for (const { sequence } of of(b, "frame-received")) assert.ok(known.has(sequence));
  const lost = of(a, "packet-lost");
  assert.ok(lost.length > 0);
  assert.equal(lost.filter(({ mtuProbe }) => !mtuProbe).length, stats.path?.packetsLost);
  for (const { sequence } of lost) assert.ok(known.has(sequence));
  const acked = of(a, "packets-acked").flatMap((event) => event.sequences);
  assert.equal(new Set(acked).size, acked.length);
  for (const sequence of acked) assert.ok(known.has(sequence));
  // What the stream carried arrived, as the records tell.
  const covered = new Uint8Array(SECRET.length);
  for (const { records } of of(b, "frame-received")) {
    for (const { type, offset = 0, length = 0 } of records) {
      if (type === "streamData") covered.fill(1, offset, offset + length);
    }
  }
  assert.ok(covered.every((byte) => byte === 1));
  const metrics = of(a, "metrics").at(-1);
  assert.ok(metrics !== undefined && metrics.smoothedMs >= 40 && (metrics.window ?? 0) > 0);
  assert.equal(of(a, "congestion-state")[0]?.from, "");
  const sizes = of(a, "packet-size");
  sizes.slice(1).forEach((size, index) => assert.equal(size.from, sizes[index]?.to));
  assert.deepEqual(of(a, "rotation").map((event) => [event.direction, event.epoch, event.cause]), [
    ["send", 1, "request"],
    ["receive", 1, "peer"],
  ]);
  assert.ok(
    of(b, "rotation").some(({ direction, cause }) => direction === "send" && cause === "peer"),
  );
  const times = a.events().map(({ atMs }) => atMs);
  assert.deepEqual(times, [...times].sort((x, y) => x - y), "times never go back");
});

test("a session does the same whether it is traced or not", () => {
  const facts = (run: DatagramPair): unknown => [run.clock.nowMs, run.a.stats(), run.b?.stats()];
  const tracers = { a: new TraceBuffer(), b: new TraceBuffer() };
  assert.deepEqual(facts(transfer({ tracers })), facts(transfer({})));
});

test("what is dropped is told with its reason", () => {
  const a = new TraceBuffer();
  const run = new DatagramPair({ tracers: { a } });
  run.run(() => run.a.state === "established" && run.b?.state === "established");
  const { nowMs } = run.clock;
  const { host, port } = run.link.address("b");
  run.a.receive(new Uint8Array(40), nowMs, host, port);
  run.b?.ping();
  const frame = run.b?.transmit(nowMs)?.slice() as Uint8Array;
  const broken = frame.slice();
  broken[broken.length - 1]! ^= 1;
  run.a.receive(broken, nowMs, host, port);
  run.a.receive(frame, nowMs, host, port);
  run.a.receive(frame.slice(), nowMs, host, port);
  assert.deepEqual(of(a, "frame-dropped").map(({ reason, bytes }) => [reason, bytes]), [
    ["malformed", 40],
    ["crypto", frame.length],
    ["seen", frame.length],
  ]);
});

test("words of counters become reasons", () => {
  assert.equal(dropReason("frame_stale"), "stale");
  assert.equal(dropReason("FRAME_TOO_LARGE"), "too_large");
  assert.equal(dropReason("VALUE_TAG"), "malformed");
  assert.equal(dropReason("FLOW_CONTROL"), "protocol");
  assert.equal(dropReason("seed"), "handshake");
});

test("a tracer that throws is not called again, and the session goes on", () => {
  let calls = 0;
  const a: Tracer = {
    enabled: true,
    trace: () => {
      calls++;
      throw new Error("full disk");
    },
  };
  const run = pair({ tracers: { a } }).establish();
  assert.equal(calls, 1);
  assert.equal(run.a.state, "established");
});

test("a tracer can be switched on while a session runs", () => {
  const a = new TraceBuffer();
  a.enabled = false;
  const run = pair({ tracers: { a } }).establish();
  assert.deepEqual(a.events(), []);
  a.enabled = true;
  run.a.ping();
  run.settle();
  assert.equal(of(a, "frame-sent")[0]?.records[0]?.type, "ping");
});

test("causes of rotations: bytes, packets, time", () => {
  const causes = (options: object, advanceMs: number): (string | undefined)[] => {
    const a = new TraceBuffer(10_000);
    const run = pair({ dial: options, tracers: { a } }).establish();
    const id = run.a.streams.open(0) as number;
    for (let i = 0; i < 20; i++) {
      run.a.streams.write(id, new Uint8Array(4096));
      run.b.ping();
      run.clock.advance(advanceMs);
      run.settle();
      while (run.b.streams.has(id) && run.b.streams.read(id)) { /* returns credit */ }
    }
    return of(a, "rotation").filter(({ direction }) => direction === "send").map((e) => e.cause);
  };
  assert.equal(causes({ rotateBytes: 65_536 }, 0)[0], "bytes");
  assert.equal(causes({ rotatePackets: 16 }, 0)[0], "packets");
  assert.equal(causes({ rotateTime: 1000 }, 400)[0], "time");
});

test("records are told by their numbers, and nothing of their content", () => {
  const [token, reason, data] = [new Uint8Array(8), new Uint8Array(3), new Uint8Array(5)];
  const facts: [SessionRecord, object][] = [
    [{ type: "padding", count: 4 }, { length: 4 }],
    [{ type: "ping", token }, {}],
    [{ type: "pathChallenge", token }, {}],
    [{ type: "flowCredit", stream: 1, limit: 9 }, { stream: 1, limit: 9 }],
    [{ type: "blocked", stream: 0, limit: 9 }, { stream: 0, limit: 9 }],
    [{ type: "keyRotation", epoch: 3 }, { epoch: 3 }],
    [{ type: "sessionClose", code: 1, reason }, { code: 1 }],
    [{ type: "error", stream: 2, code: 1, reason }, { stream: 2, code: 1 }],
    [{ type: "streamStop", stream: 2, code: 1 }, { stream: 2, code: 1 }],
    [{ type: "ack", largest: 5, delayUs: 2500, ranges: [[4, 5]] }, {
      ranges: [[4, 5]],
      delayMs: 2.5,
    }],
    [
      { type: "streamReset", stream: 2, code: 1, finalSize: 7 },
      { stream: 2, code: 1, finalSize: 7 },
    ],
    [{ type: "streamsLimit", count: 8 }, { limit: 8 }],
    [{ type: "streamGap", stream: 2, offset: 3, length: 4 }, { stream: 2, offset: 3, length: 4 }],
    [
      { type: "streamData", stream: 2, flags: 4, kind: 0, offset: 3, data },
      { stream: 2, offset: 3, length: 5, fin: true },
    ],
    [{ type: "datagram", channel: 6, data }, { channel: 6, length: 5 }],
  ];
  for (const [record, expected] of facts) {
    assert.deepEqual(recordFacts(record), { type: record.type, ...expected });
  }
  assert.deepEqual(recordsOf(0x01, 0, 6, data), [{ type: "datagram", channel: 6, length: 5 }]);
  assert.deepEqual(recordsOf(0x80, 0, 6, data), [{ type: "custom", length: 5 }]);
  assert.deepEqual(recordsOf(0x03, 0, 6, new Uint8Array(0)), [], "malformed");
});

test("a stop of the peer, and a stream that it opens, are told", () => {
  const [a, b] = [new TraceBuffer(), new TraceBuffer()];
  const run = pair({ tracers: { a, b } }).establish();
  const id = run.b.streams.open(0) as number;
  run.b.streams.write(id, new Uint8Array(9));
  run.settle();
  run.a.streams.stop(id, 0x111);
  run.a.streams.finish(id);
  run.settle();
  const told = of(a, "stream").map(({ step, remote }) => [step, remote]);
  assert.deepEqual(told[0], ["opened", true]);
  assert.ok(told.some(([step]) => step === "closed"));
  const stops = of(b, "stream").filter(({ step }) => step === "stop-received");
  assert.deepEqual(stops.map(({ code, remote }) => [code, remote]), [[0x111, false]]);
});

test("a disabled tracer costs no event of any kind", () => {
  const a = new TraceBuffer();
  a.enabled = false;
  transfer({ tracers: { a, b: a } });
  const refused = pair({ tracers: { a, b: a }, accept: () => false });
  refused.settle();
  assert.deepEqual(a.events(), []);
});

test("what is no message is no step of a handshake", () => {
  const buffer = new TraceBuffer();
  const trace = new ConnectionTrace(buffer, "responder", 0);
  const header = { type: FRAME_HANDSHAKE, flags: 0, sequence: 0, timestamp: 0, streamId: 0 };
  const none = new Uint8Array(0);
  const frame = encodeFrame({
    ...header,
    sessionId: new Uint8Array(8),
    metadata: none,
    payload: Uint8Array.of(1, 2, 3),
  });
  for (const bytes of [frame, frame.subarray(0, 9), none]) trace.handshakeFrame("received", bytes);
  assert.deepEqual(buffer.events(), []);
});

test("a session that is refused tells so on both sides", () => {
  const [a, b] = [new TraceBuffer(), new TraceBuffer()];
  const run = pair({ tracers: { a, b }, accept: () => false });
  run.settle();
  assert.ok(of(b, "handshake").some(({ step }) => step === "refused"));
  assert.deepEqual(of(a, "session-closed").map(({ code, remote }) => [code, remote]), [
    ["REFUSED", true],
  ]);
});
