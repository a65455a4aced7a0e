import { test } from "node:test";
import assert from "node:assert/strict";
import { SttError } from "../errors.ts";
import type { ConnectionPair } from "../testing/connection_pair.ts";
import { pair } from "../testing/pair.ts";

function finish(run: ConnectionPair): ConnectionPair {
  run.runUntil(() => run.a.finished && run.b.finished);
  for (const side of ["a", "b"] as const) {
    const last = run.events[side].at(-1);
    assert.equal(last?.type, "closed");
    assert.deepEqual(last?.type === "closed" && last.facts, run[side].closeFacts);
    assert.equal(run.events[side].filter((event) => event.type === "closed").length, 1);
    assert.equal(run[side].nextTimeout(), undefined);
    assert.equal(run[side].transmit(run.clock.nowMs), undefined);
  }
  return run;
}

function read(run: ConnectionPair, side: "a" | "b", id: number): number {
  let bytes = 0;
  for (;;) {
    const chunk = run[side].streams.read(id);
    if (chunk === undefined || chunk === null) return bytes;
    bytes += chunk.length;
  }
}

test("close sends everything first; the peer reads it after the end", () => {
  const run = pair({ pipe: { delayMs: 10, bytesPerSecond: 1_000_000 } }).establish();
  const id = run.a.streams.open(0) ?? assert.fail();
  run.a.streams.write(id, new Uint8Array(200_000));
  run.a.streams.finish(id);
  run.a.close(run.clock.nowMs, 0, "bye");
  assert.equal(run.a.state, "flushing");
  finish(run);
  assert.deepEqual(run.a.closeFacts, {
    code: 0,
    reason: "bye",
    remote: false,
    error: undefined,
    complete: true,
  });
  assert.deepEqual(run.b.closeFacts, { ...run.a.closeFacts, remote: true });
  assert.equal(read(run, "b", id), 200_000);
  assert.equal(run.b.streams.read(id), null);
});

test("a reader that does not read: the flush ends at its deadline, incomplete", () => {
  const run = pair({ options: { closeFlush: 2_000 }, pipe: { delayMs: 1 } }).establish();
  const id = run.a.streams.open(0) ?? assert.fail();
  run.a.streams.write(id, new Uint8Array(300_000));
  const from = run.clock.nowMs;
  run.a.close(from);
  finish(run);
  assert.ok(run.clock.nowMs - from >= 2_000 && run.clock.nowMs - from <= 3_100);
  assert.equal(run.a.closeFacts?.complete, false);
  assert.equal(run.b.closeFacts?.complete, true);
  assert.equal(read(run, "b", id), 262_144);
});

test("no time to flush closes at once", () => {
  const run = pair({ options: { closeFlush: 0 } }).establish();
  const id = run.a.streams.open(0) ?? assert.fail();
  run.a.streams.write(id, new Uint8Array(10));
  run.a.close(run.clock.nowMs);
  assert.equal(run.a.state, "closing");
  finish(run);
  assert.equal(run.a.closeFacts?.complete, false);
});

test("abort sends nothing of what was written", () => {
  const run = pair().establish();
  const id = run.a.streams.open(0) ?? assert.fail();
  run.a.streams.write(id, new Uint8Array(10));
  run.a.abort(run.clock.nowMs, 0x150, "enough");
  finish(run);
  assert.equal(run.a.closeFacts?.complete, false);
  assert.equal(run.b.closeFacts?.error?.code, "APPLICATION");
  assert.equal(run.b.closeFacts?.error?.wire, 0x150);
  assert.equal(run.b.closeFacts?.error?.remote, true);
  assert.equal(run.b.closeFacts?.reason, "enough");
  assert.equal(run.b.streams.has(id), false);
});

test("a remote close while bytes still wait here is not complete", () => {
  const run = pair({ pipe: { delayMs: 5 } }).establish();
  const id = run.a.streams.open(0) ?? assert.fail();
  run.a.streams.write(id, new Uint8Array(300_000));
  run.settle();
  run.b.close(run.clock.nowMs);
  finish(run);
  assert.equal(run.a.closeFacts?.remote, true);
  assert.equal(run.a.closeFacts?.complete, false);
  assert.equal(run.b.closeFacts?.complete, true);
});

test("both sides close at once", () => {
  const run = pair({ pipe: { delayMs: 30 } }).establish();
  run.a.close(run.clock.nowMs, 0x101, "a");
  run.b.close(run.clock.nowMs, 0x102, "b");
  finish(run);
  assert.equal(run.a.closeFacts?.code, 0x101);
  assert.equal(run.b.closeFacts?.code, 0x102);
  assert.equal(run.a.closeFacts?.remote, false);
});

test("a close during the flush of the other side ends both", () => {
  const run = pair({ pipe: { delayMs: 10 } }).establish();
  const id = run.a.streams.open(0) ?? assert.fail();
  run.a.streams.write(id, new Uint8Array(400_000));
  run.a.close(run.clock.nowMs);
  run.settle();
  assert.equal(run.a.state, "flushing");
  run.b.abort(run.clock.nowMs, 0x111);
  finish(run);
  assert.equal(run.a.closeFacts?.code, 0x111);
  assert.equal(run.a.closeFacts?.remote, true);
  assert.equal(run.a.closeFacts?.complete, false);
});

test("abort cuts a flush short", () => {
  const run = pair({ pipe: { delayMs: 1 } }).establish();
  const id = run.a.streams.open(0) ?? assert.fail();
  run.a.streams.write(id, new Uint8Array(400_000));
  run.a.close(run.clock.nowMs);
  run.a.abort(run.clock.nowMs, 0x105);
  assert.equal(run.a.state, "closing");
  finish(run);
  assert.equal(run.b.closeFacts?.code, 0x105);
});

test("a peer that never answers SESSION_CLOSE holds the closer for one second", () => {
  const { a, clock } = pair().establish();
  const from = clock.nowMs;
  a.close(from);
  assert.ok(a.transmit(from) !== undefined);
  assert.equal(a.transmit(from), undefined);
  assert.equal(a.nextTimeout(), from + 1000);
  a.onTimeout(from + 999);
  assert.equal(a.state, "closing");
  a.onTimeout(from + 1000);
  assert.equal(a.state, "closed");
});

test("a transport that takes nothing does not keep a closing session", () => {
  const run = pair().establish();
  const from = run.clock.nowMs;
  run.a.abort(from);
  run.a.onTimeout(from + 1000);
  assert.equal(run.a.state, "closed");
});

test("what a side sends does not keep it alive: a silent peer ends in IDLE_TIMEOUT", () => {
  const run = pair({ options: { maxIdle: 20_000 } }).establish();
  const from = run.clock.nowMs;
  let now = from;
  for (; run.a.state === "established"; now += 1_000) {
    if ((run.a.nextTimeout() ?? Infinity) <= now) run.a.onTimeout(now);
    if (run.a.state === "established") run.a.sendDatagram(0, new Uint8Array(1));
    while (run.a.transmit(now) !== undefined);
  }
  assert.equal(run.a.closeFacts?.error?.code, "IDLE_TIMEOUT");
  assert.ok(now - from <= 22_000);
});

test("reasons are cut to 256 bytes between characters", () => {
  const run = pair().establish();
  run.a.close(run.clock.nowMs, 0x100, "ä€".repeat(100));
  finish(run);
  const reason = run.b.closeFacts?.reason ?? "";
  const size = new TextEncoder().encode(reason).length;
  assert.ok(size <= 256 && size > 252);
  assert.ok(!reason.includes("\ufffd"));
});

test("a refused or slow accept hook is REFUSED at the dialler", () => {
  const refused = pair({ accept: () => false, pipe: { delayMs: 3 } });
  assert.throws(() => refused.establish(), { code: "REFUSED" });
  finish(refused);
  assert.equal(refused.a.closeFacts?.remote, true);
  assert.equal(refused.acceptor.halfOpenCount, 0);

  const slow = pair({ accept: undefined, pipe: { delayMs: 3 } });
  finish(slow);
  assert.equal(slow.a.closeFacts?.error?.code, "REFUSED");
  assert.ok(slow.clock.nowMs >= 5_000 && slow.clock.nowMs < 7_000);
  assert.equal(slow.acceptor.halfOpenCount, 0);
});

test("a session that was never opened closes without a word", () => {
  const run = pair();
  run.a.close(run.clock.nowMs);
  assert.equal(run.a.state, "closed");
  assert.equal(run.a.transmit(run.clock.nowMs), undefined);
  assert.equal(run.a.closeFacts?.error, undefined);
  const other = pair();
  other.b.abort(other.clock.nowMs, 0x15);
  assert.equal(other.b.closeFacts?.error?.code, "BUSY");
});

test("a cut of the transport is never a clean end", () => {
  const run = pair().establish();
  const cause = new SttError("TRANSPORT", "cable pulled");
  run.a.transportEnded(cause);
  run.b.transportEnded();
  for (const side of [run.a, run.b]) {
    assert.equal(side.state, "closed");
    assert.equal(side.closeFacts?.error?.code, "TRUNCATED");
    assert.equal(side.closeFacts?.code, 0x20);
  }
  assert.equal(run.a.closeFacts?.error?.cause, cause);
});

test("a transport that ends behind our SESSION_CLOSE is an orderly end", () => {
  const run = pair().establish();
  run.a.close(run.clock.nowMs, 0, "done");
  while (run.a.transmit(run.clock.nowMs) !== undefined);
  run.a.transportEnded(new SttError("TRANSPORT", "reset"));
  assert.equal(run.a.closeFacts?.error, undefined);
  assert.equal(run.a.closeFacts?.reason, "done");
});
