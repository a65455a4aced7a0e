import { test } from "node:test";
import assert from "node:assert/strict";
import { toHex } from "../codec/hex.ts";
import { pair } from "../testing/pair.ts";

const CONTEXT = new Uint8Array([1, 2, 3]);

test("both suites establish, both sides know each other and export the same keys", () => {
  for (const suite of [1, 2]) {
    const run = pair({ initiator: { suites: [suite, 3 - suite] }, pipe: { delayMs: 15 } });
    run.establish();
    const { a, b } = run;
    assert.equal(a.session?.suite, suite);
    assert.equal(b.session?.suite, suite);
    assert.equal(a.role, "initiator");
    assert.equal(b.role, "responder");
    assert.deepEqual(a.session?.sessionId, b.session?.sessionId);
    assert.notDeepEqual(a.session?.peer.nodeId, b.session?.peer.nodeId);
    assert.equal(b.session?.peer.seedIndex, 0);
    const key = a.exportKey("test", CONTEXT, 48);
    assert.equal(key.length, 48);
    assert.deepEqual(b.exportKey("test", CONTEXT, 48), key);
    assert.notDeepEqual(b.exportKey("other", CONTEXT, 48), key);
    assert.notDeepEqual(b.exportKey("test", new Uint8Array(0), 48), key);
  }
});

test("an exported key has 1 to 8160 bytes, and there is none without a session", () => {
  const run = pair();
  assert.throws(() => run.a.exportKey("x", CONTEXT, 32), { code: "CLOSED" });
  run.establish();
  assert.equal(run.a.exportKey("x", CONTEXT, 8160).length, 8160);
  for (const length of [0, -1, 8161, 1.5, NaN]) {
    assert.throws(() => run.a.exportKey("x", CONTEXT, length), { code: "CONFIG" });
  }
  run.a.abort(run.clock.nowMs);
  run.settle();
  assert.throws(() => run.a.exportKey("x", CONTEXT, 32), { code: "CLOSED" });
});

test("commands before and after a session throw CLOSED and change nothing", () => {
  const run = pair();
  const now = run.clock.nowMs;
  const commands = [
    () => run.a.ping(),
    () => run.a.rotateKeys(),
    () => run.a.sendDatagram(0, CONTEXT),
    () => run.a.sendFrame(0x80, CONTEXT),
    () => run.a.reportError(0, 1, ""),
    () => run.b.accept(now),
    () => run.b.refuse(now),
  ];
  for (const command of commands) assert.throws(command, { code: "CLOSED" });
  assert.equal(run.a.maxDatagramSize, 0);
  run.establish();
  run.a.close(now);
  run.settle();
  assert.equal(run.a.state, "closed");
  for (const command of commands) assert.throws(command, { code: "CLOSED" });
  assert.doesNotThrow(() => run.a.close(now));
  assert.doesNotThrow(() => run.a.abort(now));
});

test("numbers that the wire cannot hold are refused where they are given", () => {
  const run = pair().establish();
  const now = run.clock.nowMs;
  for (const code of [-1, 1.5, NaN, Infinity, 2 ** 53]) {
    assert.throws(() => run.a.close(now, code), { code: "CONFIG" });
    assert.throws(() => run.a.abort(now, code), { code: "CONFIG" });
    assert.throws(() => run.a.reportError(0, code, ""), { code: "CONFIG" });
  }
  for (const stream of [-1, 0.5, 2 ** 32]) {
    assert.throws(() => run.a.reportError(stream, 1, ""), { code: "CONFIG" });
    assert.throws(() => run.a.sendDatagram(stream, CONTEXT), { code: "CONFIG" });
  }
  for (const type of [0, 0x7f, 0x100, 128.5]) {
    assert.throws(() => run.a.sendFrame(type, CONTEXT), { code: "CONFIG" });
  }
  assert.throws(() => run.a.sendFrame(0x80, CONTEXT, 256), { code: "CONFIG" });
  assert.equal(run.settle().a.state, "established");
});

test("a ping shows the round trip, and the handshake is its first sample", () => {
  const run = pair({ pipe: { delayMs: 25 } }).establish();
  assert.equal(run.a.stats().rtt.latest, 50);
  const ping = run.b.ping();
  run.settle();
  assert.deepEqual(run.eventsOf("b", "pong"), [{ type: "pong", ping, rttMs: 50 }]);
  const { rtt } = run.b.stats();
  assert.deepEqual([rtt.latest, rtt.min, rtt.max], [50, 50, 50]);
});

test("pings asked for before one is sent share it; every number is answered", () => {
  const run = pair({ pipe: { delayMs: 10 } }).establish();
  assert.equal(run.a.ping(), run.a.ping());
  run.settle();
  assert.equal(run.eventsOf("a", "pong").length, 1);
  const numbers = new Set<number>();
  for (let i = 0; i < 200; i++) {
    numbers.add(run.a.ping());
    run.a.transmit(run.clock.nowMs);
  }
  assert.ok(numbers.size <= 66, `${numbers.size} pings are remembered`);
});

test("any number of pings on their way is answered, each by its own number", () => {
  const run = pair({ pipe: { delayMs: 10 } }).establish();
  const numbers = new Set<number>();
  for (let i = 0; i < 200; i++) {
    numbers.add(run.a.ping());
    run.runFor(0.1);
  }
  run.settle();
  const answered = run.eventsOf("a", "pong").map((event) => event.ping);
  assert.deepEqual(answered, [...numbers].sort((x, y) => x - y));
});

test("keep-alive holds a silent session open and measures it", () => {
  const run = pair({
    options: { maxIdle: 10_000 },
    dial: { keepAlive: 3_000 },
    pipe: { delayMs: 5 },
  }).establish();
  run.runFor(120_000);
  assert.equal(run.a.state, "established");
  assert.equal(run.b.state, "established");
  const pings = run.a.stats().rtt.samples - 1;
  assert.ok(pings >= 35 && pings <= 40, `${pings} pings in 120 s of 3 s each`);
});

test("the smaller idle timeout counts, 0 is none", () => {
  const cases: [number, number, number][] = [[30_000, 5_000, 5_000], [5_000, 0, 5_000], [
    0,
    7_000,
    7_000,
  ]];
  for (const [dial, answer, expected] of cases) {
    const run = pair({ dial: { maxIdle: dial }, answer: { maxIdle: answer } }).establish();
    const from = run.clock.nowMs;
    run.runUntil(() => run.a.state === "closed" && run.b.state === "closed");
    assert.equal(run.a.closeFacts?.error?.code, "IDLE_TIMEOUT");
    assert.ok(run.clock.nowMs - from >= expected && run.clock.nowMs - from <= expected + 1000);
  }
  const never = pair({ options: { maxIdle: 0 } }).establish();
  assert.equal(never.a.nextTimeout(), undefined);
  never.runFor(86_400_000);
  assert.equal(never.a.state, "established");
});

test("stats count bytes, frames, streams and the session's facts", () => {
  const run = pair().establish();
  const { a, b } = run;
  const id = a.streams.open(0) ?? assert.fail();
  a.streams.write(id, new Uint8Array(5000));
  run.settle();
  const sent = a.stats();
  const got = b.stats();
  assert.equal(sent.bytesSent, got.bytesReceived);
  assert.equal(sent.framesSent, got.framesReceived);
  assert.equal(sent.bytesReceived, got.bytesSent);
  assert.equal(sent.sessionId, toHex(a.session?.sessionId ?? new Uint8Array()));
  assert.equal(sent.suite, 1);
  assert.equal(sent.state, "established");
  assert.equal(sent.streams.bytesSent, 5000);
  assert.equal(got.streams.recvBuffered, 5000);
  assert.deepEqual(got.rejected, {});
  const events = run.events.b.map((event) => event.type);
  assert.deepEqual(events, ["identified", "established", "stream", "readable"]);
});
