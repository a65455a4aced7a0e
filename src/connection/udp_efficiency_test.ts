import { test } from "node:test";
import assert from "node:assert/strict";
import { DatagramPair, type DatagramPairOptions } from "../testing/datagram_pair.ts";

const RATE = 2_000_000;

/** Share of a link of 2 MB/s that one stream's bytes take, from `fromMs` to `toMs` of a session. */
function efficiency(options: DatagramPairOptions, fromMs: number, toMs: number): number {
  const link = { delayMs: 25, bytesPerSecond: RATE, queueBytes: 100_000, ...options.link };
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
  return (got - before) / (toMs - fromMs) / RATE * 1000;
}

test("udp: without loss every controller fills the link with payload", () => {
  for (const congestion of ["cubic", "newreno", "bbr"] as const) {
    const share = efficiency({ congestion }, 2000, 8000);
    assert.ok(share >= 0.9, `${congestion} ${share}`);
  }
});

test("udp: BBR takes 1 % of random loss for what it is", () => {
  for (const seed of [1, 2, 3]) {
    const share = efficiency({ congestion: "bbr", seed, link: { loss: 0.01 } }, 2000, 8000);
    assert.ok(share >= 0.8, `seed ${seed}: ${share}`);
  }
});
