import { test } from "node:test";
import assert from "node:assert/strict";
import type { SessionRecord } from "../codec/records.ts";
import { pair } from "../testing/pair.ts";
import { Forger, payloadOf } from "./forger_for_test.ts";

function repeated(count: number, record: (index: number) => SessionRecord): Uint8Array {
  return payloadOf(...Array.from({ length: count }, (_, index) => record(index)));
}

function token(index: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setUint32(4, index);
  return bytes;
}

test("a flood of PINGs while nothing can be sent leaves 64 answers, the youngest", () => {
  const run = pair().establish();
  const forger = new Forger(run);
  for (let frame = 0; frame < 200; frame++) {
    const payload = repeated(1000, (i) => ({ type: "ping", token: token(frame * 1000 + i) }));
    run.b.receive(forger.frame(2, payload), run.clock.nowMs);
  }
  forger.take();
  const pongs = forger.received.flatMap(({ records }) => records)
    .filter((record) => record.type === "pong");
  assert.equal(pongs.length, 64);
  assert.deepEqual(pongs.at(-1), { type: "pong", token: token(199_999) });
  assert.equal(run.b.state, "established");
});

test("a flood of PATH_CHALLENGEs leaves 64 answers", () => {
  const run = pair().establish();
  const forger = new Forger(run);
  const payload = repeated(5000, (i) => ({ type: "pathChallenge", token: token(i) }));
  run.b.receive(forger.frame(2, payload), run.clock.nowMs);
  forger.take();
  const answers = forger.received.flatMap(({ records }) => records);
  assert.equal(answers.length, 64);
  assert.ok(answers.every((record) => record.type === "pathResponse"));
});

test("PONGs that nobody asked for change nothing", () => {
  const run = pair().establish();
  const forger = new Forger(run);
  forger.give(forger.frame(2, repeated(3000, (i) => ({ type: "pong", token: token(i) }))));
  assert.equal(run.b.stats().rtt.samples, 1, "the handshake's alone");
  assert.equal(forger.events.length, 0);
});

test("streams opened and reset while nothing can be sent stop at the limit", () => {
  const run = pair({ options: { maxStreams: 100 } }).establish();
  const forger = new Forger(run);
  const reset = (index: number) =>
    forger.control({ type: "streamReset", stream: 2 * index + 1, code: 0, finalSize: 0 });
  for (let i = 0; i < 100; i++) run.b.receive(reset(i), run.clock.nowMs);
  assert.ok(run.b.stats().streams.open <= 100);
  assert.equal(run.b.state, "established");
  // Before the peer was told of new ones there are none.
  run.b.receive(reset(100), run.clock.nowMs);
  forger.take();
  assert.equal(forger.closeCode, 0x1a);
});

test("a peer that opens and resets streams for ever leaves no state", () => {
  const run = pair({ options: { maxStreams: 10 } }).establish();
  const forger = new Forger(run);
  for (let i = 0; i < 500; i++) {
    const stream = 2 * i + 1;
    forger.give(
      forger.control({ type: "streamReset", stream, code: 0, finalSize: 0 }),
    );
    assert.equal(run.b.state, "established", `stream ${stream}`);
    assert.ok(run.b.stats().streams.open <= 10);
  }
});

test("records of credit, limits and blocking by the thousand cost nothing", () => {
  const run = pair().establish();
  const forger = new Forger(run);
  for (let round = 1; round <= 20; round++) {
    forger.give(
      forger.frame(2, repeated(2000, (i) => ({ type: "flowCredit", stream: 0, limit: i * round }))),
      forger.frame(2, repeated(2000, (i) => ({ type: "streamsLimit", count: i }))),
      forger.frame(2, repeated(2000, (i) => ({ type: "blocked", stream: 0, limit: i }))),
      forger.frame(2, new Uint8Array(60_000)),
    );
  }
  assert.equal(run.b.state, "established");
  assert.equal(forger.received.length, 0);
});

test("ERROR records are events and nothing else", () => {
  const run = pair().establish();
  const forger = new Forger(run);
  const reason = new Uint8Array([0x68, 0x69, 0xff]);
  forger.give(
    forger.control(
      { type: "error", stream: 0, code: 0x21, reason },
      { type: "error", stream: 9, code: 0x200, reason: new Uint8Array(0) },
    ),
  );
  assert.deepEqual(forger.events, [
    { type: "peer-error", stream: 0, code: 0x21, reason: "hi\ufffd" },
    { type: "peer-error", stream: 9, code: 0x200, reason: "" },
  ]);
  assert.equal(run.b.state, "established");
});

test("a code of a newer peer closes with PROTOCOL's name and its own number", () => {
  const run = pair().establish();
  const forger = new Forger(run);
  forger.give(forger.control({ type: "sessionClose", code: 0x77, reason: new Uint8Array(0) }));
  assert.equal(run.b.closeFacts?.code, 0x77);
  assert.equal(run.b.closeFacts?.error?.code, "PROTOCOL");
  assert.equal(run.b.closeFacts?.error?.wire, 0x77);
  assert.equal(forger.closeCode, 0, "the answer has code 00");
});
