import { test } from "node:test";
import assert from "node:assert/strict";
import { TimedQueue } from "./timed_queue.ts";
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
    burst: { share: 0.05, meanLength: 3 },
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

test("link: bursts have their share and mean length", () => {
  for (const [share, meanLength] of [[0.04, 4], [0.2, 3], [0.1, 1], [0.5, 20]] as const) {
    const count = 100_000;
    const passed = new Set(run({ burst: { share, meanLength } }, count).map(([n]) => n));
    let bursts = 0;
    for (let n = 0; n < count; n++) if (!passed.has(n) && (n === 0 || passed.has(n - 1))) bursts++;
    const lost = count - passed.size;
    const name = `${share} in bursts of ${meanLength}`;
    assert.ok(Math.abs(lost / count / share - 1) < 0.1, `${name}: rate ${lost / count}`);
    assert.ok(Math.abs(lost / bursts / meanLength - 1) < 0.1, `${name}: mean ${lost / bursts}`);
  }
});

test("link: a second of silence ends a burst", () => {
  const link = new SimulatedLink({ burst: { share: 0.5, meanLength: 1e9 } });
  const passes = (nowMs: number): boolean => {
    link.send("a", new Uint8Array(1), nowMs);
    return link.receive("b", nowMs) !== undefined;
  };
  link.change("a", { burst: { share: 1e9 / (1e9 + 1), meanLength: 1e9 } });
  assert.ok(!passes(1) && !passes(900) && !passes(1900));
  link.change("a", { burst: { share: 1e-9, meanLength: 1e9 } });
  assert.ok(!passes(2900), "the burst goes on");
  assert.ok(passes(3901), "the burst is over");
});

test("link: faults have their rates, independent of each other", () => {
  const link = new SimulatedLink({ duplicate: 0.05, corrupt: 0.03, reorder: 0.1, loss: 0.2 });
  const arrived = exchange(link, 50_000).length;
  const { sent, lost, duplicated, corrupted, reordered, delivered } = link.stats("a");
  assert.equal(sent, 50_000);
  assert.equal(delivered, arrived);
  assert.equal(arrived, sent - lost + duplicated);
  const passed = sent - lost;
  for (
    const [name, rate, wanted] of [
      ["duplicate", duplicated / passed, 0.05],
      ["corrupt", corrupted / passed, 0.03],
      ["reorder", reordered / (passed + duplicated), 0.1],
      ["loss", lost / sent, 0.2],
    ] as const
  ) assert.ok(Math.abs(rate / wanted - 1) < 0.1, `${name} ${rate}`);
});

test("link: jitter is uniform from 0 to its value", () => {
  // One at a time: order is kept, so neighbours would push each other back.
  const link = new SimulatedLink({ delayMs: 10, jitterMs: 8 });
  const quarters = [0, 0, 0, 0];
  for (let n = 0; n < 4000; n++) {
    link.send("a", new Uint8Array(1), n * 100);
    const extra = link.nextArrival("b")! - n * 100 - 10;
    assert.ok(extra >= 0 && extra < 8, `${extra}`);
    quarters[Math.floor(extra / 2)]!++;
    link.receive("b", n * 100 + 50);
  }
  for (const count of quarters) assert.ok(count > 880 && count < 1120, `${quarters}`);
});

test("link: what is held back is late by its time, and the rest keeps its order", () => {
  const arrived = run({ delayMs: 20, reorder: 0.1, reorderMs: 7 }, 2000);
  const late = arrived.filter(([n, at]) => at !== n + 20);
  assert.ok(late.length > 150 && late.length < 250, `${late.length}`);
  for (const [n, at] of late) assert.equal(at, n + 27);
  const inTime = arrived.filter(([n, at]) => at === n + 20).map(([n]) => n);
  assert.deepEqual(inTime, [...inTime].sort((a, b) => a - b));
});

test("link: an endless backlog leaves at the link's rate", () => {
  const link = new SimulatedLink({ bytesPerSecond: 100_000, queueBytes: 50_000, delayMs: 30 });
  let got = 0;
  for (let ms = 0; ms < 10_000; ms++) {
    link.send("a", new Uint8Array(1000), ms);
    for (let each = link.receive("b", ms); each; each = link.receive("b", ms)) {
      got += each.data.length;
    }
  }
  assert.ok(got > 990_000 && got <= 1_000_000, `${got}`);
  assert.ok(link.stats("a").maxQueueBytes <= 50_000);
  assert.ok(link.stats("a").queueFull > 8000);
});

test("link: what is lost has used the link", () => {
  const link = new SimulatedLink({ bytesPerSecond: 1000, loss: 1 });
  link.send("a", new Uint8Array(500), 0);
  link.change("a", { loss: 0 });
  link.send("a", new Uint8Array(500), 0);
  assert.equal(link.nextArrival(), 1000);
});

test("link: the directions are independent, in rules and in chances", () => {
  const both = new SimulatedLink({ seed: 4, loss: 0.3, bToA: { loss: 0, delayMs: 9 } });
  const one = new SimulatedLink({ seed: 4, loss: 0.3 });
  for (let n = 0; n < 200; n++) {
    both.send("b", new Uint8Array(1), n);
    both.send("a", new Uint8Array(1), n);
    one.send("a", new Uint8Array(1), n);
  }
  assert.equal(both.stats("a").lost, one.stats("a").lost);
  assert.equal(both.stats("b").lost, 0);
  assert.equal(both.nextArrival("a"), 9);
  assert.equal(both.rules("b").delayMs, 9);
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

test("link: every option is validated", () => {
  const bad: [string, SimulatedLinkOptions][] = [];
  for (const name of ["loss", "reorder", "duplicate", "corrupt"]) {
    for (const value of [-0.1, 1.1, NaN, "0.1"]) bad.push([name, { [name]: value }]);
  }
  for (const name of ["delayMs", "jitterMs", "reorderMs"]) {
    for (const value of [-1, NaN, Infinity, null]) bad.push([name, { [name]: value ?? "" }]);
  }
  for (const value of [0, -1, NaN]) bad.push(["bytesPerSecond", { bytesPerSecond: value }]);
  for (const value of [-1, NaN]) {
    bad.push(["queueBytes", { bytesPerSecond: 1, queueBytes: value }]);
  }
  bad.push(["queueBytes", { queueBytes: 1000 }]);
  for (const value of [0, 1.5, 65_508, NaN]) bad.push(["mtu", { mtu: value }]);
  bad.push(["share", { burst: { share: 0.8, meanLength: 3 } }]);
  bad.push(["share", { burst: { share: -0.1, meanLength: 3 } }]);
  bad.push(["meanLength", { burst: { share: 0.1, meanLength: 0.5 } }]);
  bad.push(["meanLength", { burst: { share: 0.1, meanLength: Infinity } }]);
  bad.push(["delay", { delay: 5 } as SimulatedLinkOptions]);
  for (const value of [1.5, NaN]) bad.push(["seed", { seed: value }]);
  for (const [name, options] of bad) {
    const refusal = { code: "CONFIG", message: new RegExp(name) };
    assert.throws(() => new SimulatedLink(options), refusal, JSON.stringify(options));
    if (name === "seed") continue;
    assert.throws(() => new SimulatedLink({ bToA: options }), refusal);
    assert.throws(() => new SimulatedLink().change("a", options), refusal);
  }
  const link = new SimulatedLink();
  for (const [host, port] of [["", 1], ["h", -1], ["h", 65_536], ["h", 1.5], ["h", NaN]] as const) {
    assert.throws(() => link.rebind("a", { host, port }), { code: "CONFIG" });
  }
});

test("event queue: by time, then in the order of pushing", () => {
  const prng = new Prng(9);
  const queue = new TimedQueue<number>();
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
