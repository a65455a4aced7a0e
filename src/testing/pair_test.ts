import { test } from "node:test";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { ConnectionPair } from "./connection_pair.ts";
import { pair, type PairOptions } from "./pair.ts";
import { Prng } from "./prng.ts";

/** Both sides end, whatever happens on the way. */
function end(run: ConnectionPair): void {
  run.runUntil(() => run.a.state === "closed" && run.b.state === "closed");
  for (const side of ["a", "b"] as const) {
    assert.equal(run.events[side].at(-1)?.type, "closed");
    assert.equal(run[side].nextTimeout(), undefined);
    assert.equal(run[side].transmit(run.clock.nowMs), undefined);
  }
}

test("pair: two round trips and both sides are established", () => {
  const run = pair({ pipe: { delayMs: 20 } }).establish();
  assert.equal(run.clock.nowMs, 80);
  assert.equal(run.eventsOf("a", "early").length, 1);
  assert.equal(run.eventsOf("b", "identified").length, 1);
  assert.deepEqual(run.a.session?.sessionId, run.b.session?.sessionId);
  assert.equal(run.acceptor.halfOpenCount, 0);
});

test("pair: a run repeats byte for byte, and another seed gives another run", () => {
  const ids = [1, 1, 2].map((seed) => pair({ seed }).establish().a.session?.sessionId);
  assert.deepEqual(ids[0], ids[1]);
  assert.notDeepEqual(ids[0], ids[2]);
});

test("pair: any cutting of the bytes establishes a session and closes it in order", () => {
  for (const chunking of ["whole", "random", 1, 33] as const) {
    const run = pair({ pipe: { chunking, delayMs: 5 } }).establish();
    const at = run.clock.nowMs;
    run.b.close(at, 0x123, "done");
    end(run);
    assert.equal(run.clock.nowMs, at + 10, "no timer was needed");
    assert.equal(run.a.closeFacts?.code, 0x123);
    assert.equal(run.a.closeFacts?.remote, true);
    assert.equal(run.b.closeFacts?.reason, "done");
  }
});

test("pair: a wrong seed, a refusal, a cut and silence each end with their error", () => {
  const stranger = pair({ listenerSeeds: [new Uint8Array(32)] });
  assert.throws(() => stranger.establish(), { code: "HANDSHAKE_TIMEOUT" });
  end(stranger);

  const refused = pair({ accept: () => false });
  assert.throws(() => refused.establish(), { code: "REFUSED" });
  end(refused);

  const cut = pair({ pipe: { aToB: { cutAfter: 300 }, chunking: 100 } });
  assert.throws(() => cut.establish());
  end(cut);

  const late = pair({ pipe: { delayMs: 30_000 } });
  assert.throws(() => late.establish(), { code: "HANDSHAKE_TIMEOUT" });
  assert.equal(late.clock.nowMs, 10_000);

  const idle = pair({ options: { maxIdle: 60_000 } }).establish();
  end(idle);
  assert.equal(idle.a.closeFacts?.error?.code, "IDLE_TIMEOUT");
});

test("pair: the caller may decide over the peer", () => {
  const run = pair({ accept: undefined }).settle();
  assert.equal(run.b.state, "deciding");
  assert.equal(run.a.state, "handshaking");
  run.b.accept(run.clock.nowMs);
  run.settle();
  assert.equal(run.a.state, "established");
});

test("pair: a stream carries bytes both ways through rotations, rate and any cutting", () => {
  const variants: PairOptions[] = [
    { pipe: { delayMs: 10 } },
    { pipe: { delayMs: 10, chunking: "random", bytesPerSecond: 1_000_000 }, seed: 7 },
    { options: { rotatePackets: 16, packed: true }, pipe: { chunking: 1000 } },
    { options: { rotateBytes: 200_000 }, initiator: { suites: [2, 1] } },
  ];
  for (const options of variants) {
    const run = pair(options).establish();
    const sent = new Prng(3).bytes(400_000);
    const id = run.a.streams.open(0) ?? assert.fail("no stream");
    run.a.streams.write(id, sent);
    run.a.streams.finish(id);
    const got: Uint8Array[] = [];
    let ended = false;
    run.onEvent = (side, event) => {
      if (side !== "b" || event.type !== "readable") return;
      for (;;) {
        const chunk = run.b.streams.read(id);
        if (chunk === undefined) return;
        if (chunk === null) {
          ended = true;
          return;
        }
        got.push(chunk);
      }
    };
    run.runUntil(() => ended);
    assert.deepEqual(Buffer.concat(got), Buffer.from(sent));
    run.a.rotateKeys();
    run.settle();
    const { sendEpoch, recvEpoch } = run.a.stats();
    assert.ok(sendEpoch > 0);
    assert.equal(recvEpoch, sendEpoch, "the peer answered");
    run.a.close(run.clock.nowMs);
    end(run);
    assert.equal(run.a.closeFacts?.code, 0);
  }
});
