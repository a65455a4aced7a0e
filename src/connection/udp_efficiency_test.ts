import { test } from "node:test";
import assert from "node:assert/strict";
import { DatagramPair, type DatagramPairOptions } from "../testing/datagram_pair.ts";

const RATE = 1_000_000;
const BDP = 50_000;

interface Run {
  /** Share of a link of 1 MB/s and 50 ms that one stream's bytes took between `fromMs` and `toMs`. */
  readonly share: number;
  /** Share of the sender's packets that the queue had no room for. */
  readonly dropped: number;
}

function run(options: DatagramPairOptions, fromMs: number, toMs: number): Run {
  const link = { delayMs: 25, bytesPerSecond: RATE, queueBytes: BDP, ...options.link };
  const pair = new DatagramPair({ ...options, link });
  let id: number | undefined;
  let got = 0;
  let before = 0;
  const chunk = new Uint8Array(65_536);
  pair.onEvent = (side, event) => {
    if (side === "a" && event.type === "established") id = pair.a.streams.open(0);
  };
  pair.run(() => {
    if (id === undefined) return false;
    while (pair.a.streams.canWrite(id)) pair.a.streams.write(id, chunk);
    for (let read; pair.b!.streams.has(id) && (read = pair.b!.streams.read(id));) {
      got += read.length;
    }
    if (pair.clock.nowMs < fromMs) before = got;
    return pair.clock.nowMs >= toMs;
  });
  const { queueFull, sent } = pair.link.stats("a");
  return { share: (got - before) / (toMs - fromMs) / RATE * 1000, dropped: queueFull / sent };
}

/** Milliseconds from the opening of a stream until all `bytes` were read. */
function transferMs(bytes: number, options: DatagramPairOptions): number {
  const pair = new DatagramPair(options);
  let got = 0;
  let left = bytes;
  pair.run(() => pair.a.state === "established" && pair.b?.state === "established");
  const startMs = pair.clock.nowMs;
  const id = pair.a.streams.open(0) ?? assert.fail();
  pair.run(() => {
    while (left > 0 && pair.a.streams.canWrite(id)) {
      const size = Math.min(left, 65_536);
      pair.a.streams.write(id, new Uint8Array(size));
      left -= size;
      if (left === 0) pair.a.streams.finish(id);
    }
    for (let read; pair.b!.streams.has(id) && (read = pair.b!.streams.read(id));) {
      got += read.length;
    }
    return got === bytes;
  });
  assert.equal(got, bytes);
  return pair.clock.nowMs - startMs;
}

test("udp: without loss the payload of 20 s takes 95 % of the link", () => {
  const { share, dropped } = run({}, 1000, 21_000);
  assert.ok(share >= 0.95, `${share}`);
  assert.ok(dropped < 0.01, `${dropped} lost to the queue`);
});

test("udp: 1 % of random loss leaves 85 %", () => {
  for (const seed of [1, 2]) {
    const { share } = run({ seed, link: { loss: 0.01 } }, 1000, 21_000);
    assert.ok(share >= 0.85, `seed ${seed}: ${share}`);
  }
});

test("udp: 5 % of loss, alone or in bursts of three, leaves 70 %, and 20 % leaves 30 %", () => {
  const burst = { share: 0.05, meanLength: 3 };
  for (
    const [link, least] of [[{ loss: 0.05 }, 0.7], [{ burst }, 0.7], [{ loss: 0.2 }, 0.3]] as const
  ) {
    const { share } = run({ link }, 3000, 9000);
    assert.ok(share >= least, `${JSON.stringify(link)}: ${share}`);
  }
});

test("udp: a transfer of 8 MB over 100 Mbit/s and 50 ms, by loss", () => {
  const link = { delayMs: 25, bytesPerSecond: 12_500_000, queueBytes: 625_000 };
  for (const [loss, mbit] of [[0, 60], [0.05, 30]] as const) {
    const rate = 64_000 / transferMs(8_000_000, { link: { ...link, loss } });
    assert.ok(rate >= mbit, `${loss}: ${rate.toFixed(1)} Mbit/s`);
  }
});

test("udp: the other controllers fill a link without loss", () => {
  for (const congestion of ["cubic", "newreno"] as const) {
    const { share } = run({ congestion }, 2000, 6000);
    assert.ok(share >= 0.9, `${congestion} ${share}`);
  }
});
