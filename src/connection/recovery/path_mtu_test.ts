import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { packetFor } from "./packet_for_test.ts";
import { PathMtu } from "./path_mtu.ts";
import type { PathMtuConfig } from "./path_mtu.ts";

/** Probes until nothing is left; a path that carries `carries` bytes. */
function settle(mtu: PathMtu, carries: number, nowMs: number): number[] {
  const probed: number[] = [];
  mtu.want();
  for (let size = mtu.nextProbe(nowMs); size !== undefined; size = mtu.nextProbe(nowMs)) {
    probed.push(size);
    assert.ok(probed.length < 50);
    mtu.onProbeSent(size);
    assert.equal(mtu.nextProbe(nowMs), undefined, "one probe at a time");
    if (size <= carries) mtu.onProbeAcked(size);
    else mtu.onProbeLost(size, nowMs);
  }
  return probed;
}

/** A path that somebody wants to be larger. */
function wanted(config: Partial<PathMtuConfig> = {}): PathMtu {
  const mtu = internet(config);
  mtu.want();
  return mtu;
}

function internet(config: Partial<PathMtuConfig> = {}): PathMtu {
  return new PathMtu({ loopback: false, peerMaxUdp: 65_507, ...config });
}

test("a path of the internet is probed up to 1452, step by step", () => {
  const mtu = internet();
  assert.equal(mtu.current, 1200);
  assert.deepEqual(settle(mtu, 9000, 0), [1280, 1392, 1452]);
  assert.equal(mtu.current, 1452);
});

test("a size that fails three times is left alone for ten minutes", () => {
  const mtu = internet();
  assert.deepEqual(settle(mtu, 1400, 5), [1280, 1392, 1452, 1452, 1452]);
  assert.equal(mtu.current, 1392);
  assert.equal(mtu.nextTimeout(), 600_005);
  assert.deepEqual(settle(mtu, 1500, 600_004), []);
  assert.deepEqual(settle(mtu, 1500, 600_005), [1452]);
  assert.equal(mtu.current, 1452);
  assert.equal(mtu.nextTimeout(), undefined);
});

test("nothing is probed before a packet is nearly full, or somebody wants larger ones", () => {
  const mtu = internet();
  mtu.onSent(899);
  assert.equal(mtu.nextProbe(0), undefined);
  mtu.onSent(900);
  assert.equal(mtu.nextProbe(0), 1280);
  mtu.reset();
  assert.equal(mtu.nextProbe(0), undefined);
  mtu.want();
  assert.equal(mtu.nextProbe(0), 1280);
});

test("one lost probe says nothing", () => {
  const mtu = wanted();
  mtu.onProbeSent(1280);
  mtu.onProbeLost(1280, 0);
  assert.equal(mtu.nextProbe(0), 1280);
  mtu.onProbeSent(1280);
  mtu.onProbeAcked(1280);
  assert.equal(mtu.current, 1280);
});

test("loopback goes to 16384 at once", () => {
  const mtu = new PathMtu({ loopback: true, peerMaxUdp: 65_507 });
  assert.deepEqual(settle(mtu, 65_507, 0), [16_384]);
  assert.equal(mtu.current, 16_384);
});

test("loopback goes to half of the peer's credit at once, up to what UDP carries", () => {
  const sizes = [[1_048_576, 65_507], [93_184, 46_592], [20_000, 16_384], [0, 16_384]] as const;
  for (const [peerMaxData, size] of sizes) {
    const mtu = new PathMtu({ loopback: true, peerMaxUdp: 65_507, peerMaxData });
    assert.deepEqual(settle(mtu, 65_507, 0), [size]);
    const narrow = new PathMtu({ loopback: true, peerMaxUdp: 65_507, peerMaxData });
    settle(narrow, 9216, 0);
    assert.equal(narrow.current, 8192);
    const network = internet({ peerMaxData });
    assert.deepEqual(settle(network, 65_507, 0), [1280, 1392, 1452]);
  }
});

test("a stated size is tried first, then the steps below", () => {
  const mtu = internet({ pathMtu: 8972 });
  assert.deepEqual(settle(mtu, 5000, 0), [
    ...[8972, 8972, 8972],
    ...[1280, 1392, 1452, 4096, 8192, 8192, 8192],
  ]);
  assert.equal(mtu.current, 4096);
});

test("never above the peer's max_udp, never below 1200", () => {
  const small = internet({ peerMaxUdp: 1300 });
  assert.deepEqual(settle(small, 9000, 0), [1280, 1300]);
  const none = internet({ peerMaxUdp: 1200 });
  assert.deepEqual(settle(none, 9000, 0), []);
  const stated = internet({ pathMtu: 500 });
  assert.equal(stated.current, 1200);
  assert.deepEqual(settle(stated, 9000, 0), []);
});

test("three probe timeouts that lose only large packets are a black hole", () => {
  const mtu = internet();
  settle(mtu, 1500, 0);
  const large = packetFor(0, 0, { size: 1452 });
  const small = packetFor(1, 0, { size: 1200 });
  for (let count = 0; count < 2; count++) {
    mtu.onPto();
    mtu.onAcked([small]);
    assert.equal(mtu.onLost([large], 100), false);
  }
  mtu.onPto();
  mtu.onAcked([small]);
  assert.equal(mtu.onLost([large, large], 100), true);
  assert.equal(mtu.current, 1200);
  assert.equal(mtu.nextProbe(600_099), undefined);
  assert.equal(mtu.nextProbe(600_100), 1280);
});

test("a large packet that arrives, or a small one that is lost, clears the suspicion", () => {
  const large = packetFor(0, 0, { size: 1452 });
  const small = packetFor(1, 0, { size: 1200 });
  const arrived = internet();
  settle(arrived, 1500, 0);
  for (let count = 0; count < 9; count++) {
    arrived.onPto();
    if (count % 2 === 1) arrived.onAcked([large]);
    assert.equal(arrived.onLost([large], 0), false);
  }
  const lost = internet();
  settle(lost, 1500, 0);
  for (let count = 0; count < 3; count++) lost.onPto();
  assert.equal(lost.onLost([large, small], 0), false);
  assert.equal(lost.onLost([large], 0), false);
  assert.equal(lost.current, 1452);
});

test("from the second probe timeout on, packets are small", () => {
  const mtu = internet();
  settle(mtu, 1500, 0);
  assert.deepEqual([0, 1, 2, 3].map((count) => mtu.sizeAfter(count)), [1452, 1452, 1200, 1200]);
});

test("a refused size falls back at once", () => {
  const mtu = internet();
  settle(mtu, 1500, 0);
  assert.equal(mtu.onRefused(1452, 0), true);
  assert.equal(mtu.current, 1200);
  assert.deepEqual(settle(mtu, 1451, 0), [1280, 1392]);
  mtu.reset();
  mtu.want();
  mtu.onProbeSent(1280);
  assert.equal(mtu.onRefused(1280, 0), false);
  assert.equal(mtu.nextProbe(0), undefined);
  assert.equal(mtu.onRefused(1200, 0), false);
});

test("another path starts over; answers to old probes count for nothing", () => {
  const mtu = wanted();
  mtu.onProbeSent(1280);
  mtu.reset();
  mtu.onProbeAcked(1280);
  assert.equal(mtu.current, 1200);
  mtu.want();
  assert.equal(mtu.nextProbe(0), 1280);
});

test("whatever the path carries, the size found is carried and within a step of it", () => {
  fc.assert(fc.property(
    fc.boolean(),
    fc.option(fc.integer({ min: 1000, max: 65_507 }), { nil: undefined }),
    fc.integer({ min: 1200, max: 65_507 }),
    fc.integer({ min: 1200, max: 65_507 }),
    (loopback, pathMtu, peerMaxUdp, carries) => {
      const mtu = new PathMtu({
        loopback,
        peerMaxUdp,
        ...(pathMtu === undefined ? {} : { pathMtu }),
      });
      settle(mtu, carries, 0);
      assert.ok(mtu.current >= 1200 && mtu.current <= Math.max(carries, 1200));
      assert.ok(mtu.current <= peerMaxUdp);
      const steps = [1280, 1392, 1452, 4096, 8192, 16_384, 32_768, mtu.limit];
      const best = Math.max(1200, ...steps.filter((s) => s <= Math.min(carries, mtu.limit)));
      assert.equal(mtu.current, best);
    },
  ));
});
