import { test } from "node:test";
import assert from "node:assert/strict";
import type { ConnectionPair } from "../testing/connection_pair.ts";
import { pair, type PairOptions } from "../testing/pair.ts";
import { Forger } from "./forger_for_test.ts";

/** Runs until the dialler may send and the listener decides. */
function deciding(options: PairOptions = {}): ConnectionPair {
  const run = pair({ accept: undefined, ...options });
  run.onEvent = (side, event) => {
    if (side !== "a" || event.type !== "early") return;
    const id = run.a.streams.open(4) ?? assert.fail();
    run.a.streams.writeMessage(id, new Uint8Array(1000).fill(1));
    run.a.sendDatagram(7, new Uint8Array([1, 2]));
  };
  return run.runUntil(() => run.b.state === "deciding").runFor(100);
}

test("early data waits for yes, then arrives whole", () => {
  for (const chunking of ["whole", 50] as const) {
    const run = deciding({ pipe: { delayMs: 10, chunking } });
    assert.equal(run.a.state, "handshaking");
    assert.equal(run.b.nextDatagram(), undefined);
    assert.equal(run.events.b.length, 1, "nothing but `identified` before the decision");
    assert.equal(run.b.transmit(run.clock.nowMs), undefined, "not even FINAL");
    run.b.accept(run.clock.nowMs);
    run.settle();
    assert.equal(run.a.state, "established");
    assert.deepEqual(run.b.streams.readMessage(1), new Uint8Array(1000).fill(1));
    assert.deepEqual(run.b.nextDatagram(), { channel: 7, data: new Uint8Array([1, 2]) });
  }
});

test("early data of a refused dial is delivered to nobody", () => {
  const run = deciding({ pipe: { delayMs: 10 } });
  run.b.refuse(run.clock.nowMs, "not you");
  run.runUntil(() => run.a.finished && run.b.finished);
  assert.equal(run.b.nextDatagram(), undefined);
  assert.deepEqual(run.events.b.map((event) => event.type), ["identified", "closed"]);
  assert.equal(run.a.closeFacts?.error?.code, "REFUSED");
  assert.equal(run.a.closeFacts?.reason, "not you");
});

test("the dialler sends at most the initial credit before FINAL", () => {
  const run = pair({ accept: undefined, answer: { maxData: 20_000, maxStreamData: 8_000_000 } });
  let queued = 0;
  run.onEvent = (side, event) => {
    if (side !== "a" || event.type !== "early") return;
    for (let i = 0; i < 50; i++) {
      run.a.sendDatagram(0, new Uint8Array(1000));
      queued++;
    }
    run.a.reportError(0, 1, "x".repeat(250));
  };
  run.runFor(1000);
  assert.equal(run.b.state, "deciding");
  const early = run.a.stats().bytesSent;
  assert.ok(early <= 20_000 + 1_000, `${early} bytes before FINAL`);
  run.b.accept(run.clock.nowMs);
  run.settle();
  let got = 0;
  while (run.b.nextDatagram() !== undefined) got++;
  assert.equal(got, queued, "the rest follows FINAL");
});

test("a record that the early budget cannot hold waits, and no empty frame goes out", () => {
  for (let budget = 0; budget < 1_200; budget += 40) {
    const run = pair({ accept: undefined, answer: { maxData: budget } });
    run.onEvent = (side, event) => {
      if (side !== "a" || event.type !== "early") return;
      for (let i = 0; i < 5; i++) run.a.reportError(0, 1, "x".repeat(250));
    };
    run.runFor(100);
    run.b.accept(run.clock.nowMs);
    run.settle();
    assert.equal(run.b.state, "established", `budget ${budget}`);
    assert.equal(run.eventsOf("b", "peer-error").length, 5);
  }
});

test("a peer that sends more than the initial credit before the decision is FLOW_CONTROL", () => {
  const run = pair({ accept: undefined, answer: { maxData: 100_000 } });
  run.runUntil(() => run.b.state === "deciding");
  const forger = new Forger(run);
  const frame = new Uint8Array(1000);
  let sent = 0;
  while (run.b.state === "deciding" && sent < 1_000_000) {
    forger.give(forger.frame(0x01, frame));
    sent += 1048;
  }
  assert.ok(sent > 100_000 && sent < 200_000, `${sent} bytes were held`);
  assert.equal(run.b.closeFacts?.error?.code, "FLOW_CONTROL");
  assert.equal(forger.closeCode, 0x05);
  assert.equal(run.acceptor.halfOpenCount, 0);
});

test("hostile early data shows at the decision, not before", () => {
  const run = pair({ accept: undefined }).settle();
  assert.equal(run.b.state, "deciding");
  const forger = new Forger(run);
  forger.give(new Uint8Array([1, 2, 3]));
  assert.equal(run.b.state, "deciding");
  run.b.accept(run.clock.nowMs);
  forger.take();
  assert.equal(run.b.closeFacts?.error?.code, "PROTOCOL");
});

test("an early frame split over two messages closes, also when both came before the decision", () => {
  for (const rest of [true, false]) {
    const run = pair({ accept: undefined });
    run.runUntil(() => run.b.state === "deciding");
    const forger = new Forger(run);
    const frame = forger.control({ type: "ping", token: new Uint8Array(8) });
    forger.giveMessage(frame.subarray(0, 9));
    if (rest) forger.giveMessage(frame.subarray(9));
    run.b.accept(run.clock.nowMs);
    forger.take();
    assert.equal(run.b.closeFacts?.error?.code, "PROTOCOL", `rest ${rest}`);
  }
});

test("AUTH_PROOF and half a frame in one message is a breach as well", () => {
  const run = pair({ accept: undefined });
  const toB: Uint8Array[] = [];
  const { a, b, clock } = run;
  // By hand: what `a` sends behind AUTH_PROOF is put into its message, cut.
  const pump = (): void => {
    for (let frame = a.transmit(0); frame !== undefined; frame = a.transmit(0)) toB.push(frame);
    for (let frame = b.transmit(0); frame !== undefined; frame = b.transmit(0)) a.receive(frame, 0);
  };
  pump();
  b.receive(toB.shift() as Uint8Array, 0);
  pump();
  a.ping();
  pump();
  const [proof, ping] = toB;
  assert.ok(proof !== undefined && ping !== undefined);
  b.receive(new Uint8Array([...proof, ...ping.subarray(0, 12)]), 0);
  b.endOfMessage(0);
  assert.equal(b.state, "deciding");
  b.receive(ping.subarray(12), 0);
  b.endOfMessage(0);
  b.accept(clock.nowMs);
  assert.equal(b.closeFacts?.error?.code, "PROTOCOL");
});

test("the decision may come too late or twice", () => {
  const run = pair({ accept: undefined }).settle();
  run.b.transportEnded();
  assert.equal(run.b.closeFacts?.error?.code, "TRUNCATED");
  assert.throws(() => run.b.accept(0), { code: "CLOSED" });
  assert.throws(() => run.b.refuse(0), { code: "CLOSED" });
  assert.equal(run.acceptor.halfOpenCount, 0);
});

test("both ways of early closing: the dialler gives up while the listener decides", () => {
  const run = deciding({ pipe: { delayMs: 5 } });
  run.a.close(run.clock.nowMs, 0x123);
  run.runFor(100);
  run.b.accept(run.clock.nowMs);
  run.runUntil(() => run.a.finished && run.b.finished);
  assert.equal(run.b.closeFacts?.code, 0x123);
  assert.equal(run.a.closeFacts?.remote, false);
});
