import { test } from "node:test";
import assert from "node:assert/strict";
import { EventQueue } from "./event_queue.ts";
import { FakeClock } from "./fake_clock.ts";
import { Prng } from "./prng.ts";
import { SimulatedLink, type SimulatedLinkOptions } from "./simulated_link.ts";

/** Sends `count` numbered datagrams, one per ms, and lists what arrives as [number, time]. */
function run(options: SimulatedLinkOptions, count: number, size = 4): [number, number][] {
  return exchange(new SimulatedLink(options), count, size);
}

function exchange(link: SimulatedLink, count: number, size = 4): [number, number][] {
  const arrived: [number, number][] = [];
  const take = (nowMs: number): void => {
    for (let d = link.receive("b", nowMs); d !== undefined; d = link.receive("b", nowMs)) {
      arrived.push([new DataView(d.data.buffer).getUint32(0), nowMs]);
    }
  };
  for (let i = 0; i < count; i++) {
    for (let at = link.nextArrival("b"); at !== undefined && at <= i; at = link.nextArrival("b")) {
      take(at);
    }
    const data = new Uint8Array(size);
    new DataView(data.buffer).setUint32(0, i);
    link.send("a", data, i);
  }
  for (let at = link.nextArrival("b"); at !== undefined; at = link.nextArrival("b")) take(at);
  return arrived;
}

test("link: without faults everything arrives once, in order, after the delay", () => {
  const arrived = run({ delayMs: 25 }, 100);
  assert.deepEqual(arrived, Array.from({ length: 100 }, (_, i) => [i, i + 25]));
});

test("link: the same seed repeats the run, another one does not", () => {
  const options = {
    delayMs: 10,
    jitterMs: 5,
    loss: 0.1,
    burst: { enter: 0.02, leave: 0.3 },
    reorder: 0.1,
    duplicate: 0.05,
    corrupt: 0.05,
  };
  assert.deepEqual(run({ ...options, seed: 1 }, 500), run({ ...options, seed: 1 }, 500));
  assert.notDeepEqual(run({ ...options, seed: 1 }, 500), run({ ...options, seed: 2 }, 500));
});

test("link: random loss has its rate", () => {
  const arrived = run({ loss: 0.2 }, 20_000).length;
  assert.ok(arrived > 15_700 && arrived < 16_300, `${arrived}`);
  assert.equal(run({ loss: 1 }, 50).length, 0);
});

test("link: bursts have their length", () => {
  const numbers = new Set(run({ burst: { enter: 0.01, leave: 0.25 } }, 40_000).map(([n]) => n));
  let bursts = 0;
  let lost = 0;
  for (let n = 0; n < 40_000; n++) {
    if (numbers.has(n)) continue;
    lost++;
    if (n === 0 || numbers.has(n - 1)) bursts++;
  }
  assert.ok(lost / bursts > 3.4 && lost / bursts < 4.6, `mean burst ${lost / bursts}`);
  const rate = lost / 40_000;
  assert.ok(rate > 0.03 && rate < 0.05, `rate ${rate}`);
});

test("link: jitter delays without reordering, reordering holds back", () => {
  const jittered = run({ delayMs: 10, jitterMs: 20 }, 500);
  assert.deepEqual(jittered.map(([n]) => n), Array.from({ length: 500 }, (_, i) => i));
  assert.ok(jittered.some(([n, at]) => at > n + 15));

  const link = new SimulatedLink({ delayMs: 10, reorder: 0.1, reorderMs: 5 });
  const mixed = exchange(link, 500);
  assert.equal(mixed.length, 500);
  assert.ok(mixed.some(([n], i) => n < (mixed[i - 1]?.[0] ?? 0)), "some are overtaken");
  assert.ok(link.stats("a").reordered > 25);
});

test("link: duplicates arrive as memory of their own, corruption flips one bit", () => {
  const link = new SimulatedLink({ duplicate: 1 });
  const original = new Uint8Array([1, 2, 3]);
  link.send("a", original, 0);
  original[0] = 99;
  const first = link.receive("b", 0);
  if (first !== undefined) first.data[1] = 99;
  assert.deepEqual(link.receive("b", 0)?.data, new Uint8Array([1, 2, 3]));
  assert.equal(link.receive("b", 0), undefined);
  assert.equal(link.stats("a").duplicated, 1);

  const noisy = new SimulatedLink({ corrupt: 1 });
  noisy.send("a", new Uint8Array(50), 0);
  noisy.send("a", new Uint8Array(0), 0);
  const bits = [...noisy.receive("b", 0)?.data ?? []].filter((byte) => byte !== 0);
  assert.equal(bits.length, 1);
  assert.equal(Math.log2(bits[0] ?? 0) % 1, 0);
});

test("link: rate and queue", () => {
  const link = new SimulatedLink({ bytesPerSecond: 1000, queueBytes: 250, delayMs: 5 });
  for (let i = 0; i < 4; i++) link.send("a", new Uint8Array(100), 0);
  assert.equal(link.stats("a").queueFull, 2);
  assert.equal(link.stats("a").maxQueueBytes, 200);
  assert.equal(link.nextArrival(), 105);
  assert.equal(link.receive("b", 104), undefined);
  assert.equal(link.receive("b", 105)?.data.length, 100);
  assert.equal(link.nextArrival(), 205);
  link.send("a", new Uint8Array(100), 200);
  assert.equal(link.receive("b", 205)?.data.length, 100);
  assert.equal(link.receive("b", 305)?.data.length, 100);
});

test("link: MTU, per direction, and changed on the way", () => {
  const link = new SimulatedLink({ mtu: 1200, bToA: { mtu: 100 } });
  link.send("a", new Uint8Array(1200), 0);
  link.send("a", new Uint8Array(1201), 0);
  link.send("b", new Uint8Array(101), 0);
  assert.equal(link.receive("b", 0)?.data.length, 1200);
  assert.equal(link.receive("b", 0), undefined);
  assert.equal(link.stats("a").tooLarge, 1);
  assert.equal(link.stats("b").tooLarge, 1);
  link.change("a", { mtu: 1500, delayMs: 7 });
  link.send("a", new Uint8Array(1201), 0);
  assert.equal(link.nextArrival("b"), 7);
  assert.equal(link.nextArrival("a"), undefined);
});

test("link: a new address shows at the peer, and the old one is gone", () => {
  const link = new SimulatedLink({ delayMs: 10 });
  const old = link.address("a");
  link.send("a", new Uint8Array([1]), 0);
  link.send("b", new Uint8Array([2]), 0, old);
  link.rebind("a", { host: old.host, port: old.port + 1 });
  link.send("a", new Uint8Array([3]), 1);
  link.send("b", new Uint8Array([4]), 1, link.address("a"));
  link.send("b", new Uint8Array([5]), 1);
  assert.deepEqual(link.receive("b", 20)?.from, old);
  assert.deepEqual(link.receive("b", 20)?.from, { host: old.host, port: old.port + 1 });
  assert.deepEqual(link.receive("a", 20)?.data, new Uint8Array([4]));
  assert.deepEqual(link.receive("a", 20)?.data, new Uint8Array([5]));
  assert.equal(link.receive("a", 20), undefined);
  assert.equal(link.stats("b").unreachable, 1);
});

test("link: impossible options are refused", () => {
  for (
    const bad of [
      { loss: 1.5 },
      { loss: NaN },
      { reorder: -0.1 },
      { burst: { enter: 2, leave: 1 } },
      { delayMs: -1 },
      { mtu: NaN },
      { bytesPerSecond: 0 },
    ]
  ) assert.throws(() => new SimulatedLink(bad), { code: "CONFIG" });
});

test("event queue: by time, then in the order of pushing", () => {
  const prng = new Prng(9);
  const queue = new EventQueue<number>();
  const times: number[] = [];
  for (let i = 0; i < 1000; i++) {
    times.push(prng.integer(0, 50));
    queue.push(times[i] ?? 0, i);
  }
  const expected = times.map((at, i) => [at, i] as const).sort((x, y) =>
    x[0] - y[0] || x[1] - y[1]
  );
  assert.equal(queue.pop(-1), undefined);
  for (const [at, i] of expected) {
    assert.equal(queue.nextMs, at);
    assert.equal(queue.pop(50), i);
  }
  assert.equal(queue.pop(50), undefined);
  assert.equal(queue.size, 0);
});

test("clock: forward only", () => {
  const clock = new FakeClock(5, 100);
  clock.advance(2.5);
  assert.equal(clock.nowMs, 7.5);
  assert.equal(clock.unixMs, 107.5);
  clock.advanceTo(7.5);
  for (const bad of [7, NaN, Infinity]) {
    assert.throws(() => clock.advanceTo(bad), { code: "INTERNAL" });
  }
});

test("prng: repeats itself, keeps its ranges, and forks differ", () => {
  const prng = new Prng(1);
  const again = new Prng(1);
  assert.deepEqual(prng.bytes(32), again.bytes(32));
  const counts = [0, 0, 0, 0, 0, 0];
  for (let i = 0; i < 6000; i++) {
    const face = prng.integer(1, 6);
    counts[face - 1] = (counts[face - 1] ?? 0) + 1;
  }
  for (const count of counts) assert.ok(count > 850 && count < 1150, `${counts}`);
  assert.notDeepEqual(prng.fork().bytes(8), prng.fork().bytes(8));
  assert.equal(prng.pick(["only"]), "only");
  assert.equal(prng.chance(0), false);
  assert.equal(prng.chance(1), true);
});
