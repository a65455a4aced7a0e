import { test } from "node:test";
import assert from "node:assert/strict";
import type { ConnectionPair } from "../testing/connection_pair.ts";
import { pair } from "../testing/pair.ts";
import { Prng } from "../testing/prng.ts";
import { Forger } from "./forger_for_test.ts";

/** Sends bytes from `a` to `b`, reads them, returns when all arrived. */
function transfer(run: ConnectionPair, size: number): void {
  const sent = new Prng(5).bytes(size);
  const id = run.a.streams.open(0) ?? assert.fail();
  run.a.streams.write(id, sent);
  run.a.streams.finish(id);
  let at = 0;
  let ended = false;
  run.onEvent = (side, event) => {
    if (side !== "b" || event.type !== "readable") return;
    for (let chunk = run.b.streams.read(id); chunk !== undefined; chunk = run.b.streams.read(id)) {
      if (chunk === null) {
        ended = true;
        return;
      }
      assert.deepEqual(chunk, sent.subarray(at, at + chunk.length));
      at += chunk.length;
    }
  };
  run.runUntil(() => ended || run.a.finished || run.b.finished);
  assert.equal(run.a.closeFacts?.error, undefined);
  assert.equal(at, size);
}

test("rotation on request: the peer answers, both report it", () => {
  const run = pair({ pipe: { delayMs: 5 } }).establish();
  run.b.ping();
  run.settle();
  for (let epoch = 1; epoch <= 3; epoch++) {
    run.a.rotateKeys();
    run.settle();
    for (const side of [run.a, run.b]) {
      assert.equal(side.stats().sendEpoch, epoch);
      assert.equal(side.stats().recvEpoch, epoch);
    }
  }
  assert.deepEqual(
    run.eventsOf("a", "rekey").map((event) => `${event.direction} ${event.epoch}`),
    ["send 1", "receive 1", "send 2", "receive 2", "send 3", "receive 3"],
  );
  assert.equal(run.eventsOf("b", "rekey").length, 6);
});

test("a request on a fresh session waits for a frame of the peer and asks for one", () => {
  const run = pair({ pipe: { delayMs: 5 } }).establish();
  run.a.rotateKeys();
  run.settle();
  assert.equal(run.a.stats().sendEpoch, 1);
  assert.equal(run.b.stats().sendEpoch, 1);
});

test("both sides ask at once and meet in one epoch", () => {
  const run = pair({ pipe: { delayMs: 20 } }).establish();
  run.a.ping();
  run.settle();
  run.a.rotateKeys();
  run.b.rotateKeys();
  run.settle();
  assert.equal(run.a.stats().sendEpoch, run.b.stats().sendEpoch);
  assert.equal(run.a.stats().recvEpoch, run.a.stats().sendEpoch);
  transfer(run, 50_000);
});

test("rotation by bytes far below the window does not end a healthy session", () => {
  const variants = [
    { delayMs: 0 },
    { delayMs: 50 },
    { delayMs: 200, bytesPerSecond: 4_000_000, chunking: "random" as const },
  ];
  for (const pipe of variants) {
    const run = pair({ options: { rotateBytes: 65_536, maxStreamData: 1_048_576 }, pipe });
    run.establish();
    transfer(run, 2_000_000);
    assert.ok(run.a.stats().sendEpoch >= 5, `${run.a.stats().sendEpoch} epochs`);
    assert.equal(run.settle().a.state, "established");
  }
});

test("rotation by frames, in packed mode too", () => {
  for (const packed of [false, true]) {
    const run = pair({ options: { rotatePackets: 16, packed }, pipe: { delayMs: 10 } }).establish();
    transfer(run, 1_500_000);
    assert.ok(run.a.stats().sendEpoch >= 2);
  }
});

test("rotation by time happens with the next frame; the frames of a rotation keep nothing alive", () => {
  const run = pair({ options: { rotateTime: 60_000, maxIdle: 200_000 }, pipe: { delayMs: 5 } });
  run.establish();
  run.a.ping();
  run.settle();
  run.runFor(61_000);
  run.a.ping();
  run.settle();
  assert.equal(run.a.stats().sendEpoch, 1);
  const from = run.clock.nowMs;
  run.runUntil(() => run.a.finished && run.b.finished);
  assert.ok(run.clock.nowMs - from < 300_000, "an idle session rotates for ever");
  assert.equal(run.a.closeFacts?.error?.code, "IDLE_TIMEOUT");
});

test("a session that sends one way and rests far beyond the time limit goes on", () => {
  const run = pair({ options: { rotateTime: 60_000, maxIdle: 0 }, pipe: { delayMs: 5 } });
  run.establish();
  for (let i = 0; i < 3; i++) {
    run.a.sendDatagram(0, new Uint8Array(1));
    run.settle();
    run.runFor(10 * 60_000);
    assert.equal(run.a.state, "established");
    assert.equal(run.b.state, "established");
  }
  assert.ok(run.a.stats().sendEpoch >= 1);
});

test("many rotations: the epoch's longer number still fits the smallest frames", () => {
  const run = pair({ options: { maxFrame: 1200, packed: true } }).establish();
  run.b.ping();
  run.settle();
  for (let i = 0; i < 130; i++) {
    run.a.rotateKeys();
    run.settle();
  }
  assert.equal(run.a.stats().sendEpoch, 130);
  transfer(run, 20_000);
  run.b.sendDatagram(1, new Uint8Array(run.b.maxDatagramSize));
  run.settle();
  assert.equal(run.a.state, "established");
  assert.equal(run.a.nextDatagram()?.data.length, run.b.maxDatagramSize);
});

test("a datagram queued at the limit that a longer epoch number makes too long is dropped, not sent", () => {
  const run = pair({ options: { maxFrame: 1200 } }).establish();
  run.b.ping();
  run.settle();
  for (let i = 0; i < 127; i++) {
    run.a.rotateKeys();
    run.settle();
  }
  run.a.rotateKeys();
  run.a.sendDatagram(1, new Uint8Array(run.a.maxDatagramSize));
  run.settle();
  assert.equal(run.a.stats().sendEpoch, 128);
  assert.equal(run.a.stats().datagramsDropped, 1);
  assert.equal(run.b.state, "established");
});

test("data waits at twice a limit for a peer that never sends, and AEAD_LIMIT ends it at four times", () => {
  const run = pair({ options: { rotatePackets: 16, rotateTime: 60_000, maxIdle: 0 } }).establish();
  const { a, clock } = run;
  const forger = new Forger(run, "b");
  const before = a.stats().framesSent;
  a.streams.open(0);
  a.streams.write(1, new Uint8Array(200_000));
  for (let i = 0; i < 100; i++) {
    a.sendDatagram(0, new Uint8Array(1));
    forger.take();
  }
  const frames = a.stats().framesSent - before;
  // The one more is the PING that asks for a sign of life.
  assert.ok(frames >= 32 && frames <= 33, `${frames} frames without an answer`);
  assert.equal(a.state, "established");
  clock.advance(239_000);
  forger.take();
  assert.equal(a.state, "established");
  clock.advance(2_000);
  a.ping();
  forger.take();
  assert.equal(forger.closeCode, 0x1d);
  assert.equal(a.closeFacts?.error?.code, "AEAD_LIMIT");
});

test("frames of an older or a far epoch, and a wrong KEY_ROTATION, are KEY_ROTATION_ERROR", () => {
  const wrong = new Forger(pair().establish());
  wrong.give(wrong.control({ type: "keyRotation", epoch: 3 }));
  assert.equal(wrong.closeCode, 0x1c);

  const run = pair().establish();
  const forger = new Forger(run);
  forger.give(forger.control({ type: "ping", token: new Uint8Array(8) }));
  assert.ok(forger.protection.startRotation(run.clock.nowMs));
  const next = forger.control({ type: "keyRotation", epoch: 1 });
  forger.give(next);
  assert.equal(forger.received.at(-1)?.records[0]?.type, "keyRotation", "the victim answers");
  assert.equal(run.b.stats().sendEpoch, 1);

  // Behind the rotation nothing of the old epoch is taken.
  const late = new Forger(pair().establish());
  const old = late.control({ type: "ping", token: new Uint8Array(8) });
  late.give(old);
  const before = late.control({ type: "padding", count: 1 });
  late.protection.startRotation(0);
  late.give(late.control({ type: "keyRotation", epoch: 1 }), before);
  assert.equal(late.closeCode, 0x01, "its place was not the next one");
});
