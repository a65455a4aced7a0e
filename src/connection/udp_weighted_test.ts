import { test } from "node:test";
import assert from "node:assert/strict";
import { DatagramPair, type DatagramPairOptions } from "../testing/datagram_pair.ts";
import { Prng } from "../testing/prng.ts";

const SEGMENT = 16_384;

/** Sends bytes over a weighted stream; returns what came whole, what is missing, and the sender's view. */
function transfer(
  options: DatagramPairOptions,
  sent: Uint8Array,
  target?: number,
  onTurn?: (pair: DatagramPair) => void,
) {
  const pair = new DatagramPair(options);
  let id = 0;
  let whole = 0;
  let missing = 0;
  let offset = 0;
  let ended = false;
  pair.onEvent = (side, event) => {
    if (side !== "a" || event.type !== "established") return;
    id = pair.a.streams.open(2) ?? assert.fail();
    pair.a.streams.setTarget(id, target);
    pair.a.streams.write(id, sent.slice());
    pair.a.streams.finish(id);
  };
  const over = pair.run(() => {
    onTurn?.(pair);
    const streams = pair.b?.streams;
    while (!ended && streams?.kindOf(id) !== undefined) {
      const item = streams.readSegment(id);
      if (item === undefined) break;
      if (item === null) {
        ended = true;
        break;
      }
      assert.equal(item.offset, offset);
      if (item.data === undefined) {
        missing += item.gap;
        offset += item.gap;
        continue;
      }
      assert.deepEqual(item.data, sent.slice(offset, offset + item.data.length));
      if (item.data.length === SEGMENT) whole++;
      offset += item.data.length;
    }
    return ended && pair.a.streams.isIdle();
  }, 300_000);
  assert.ok(over, `seed ${options.seed}: ${offset} of ${sent.length} bytes came`);
  assert.equal(offset, sent.length);
  return { pair, whole, missing, stats: pair.a.stats().streams };
}

test("udp: a weighted stream over a link that loses a fifth comes as often as asked for", () => {
  let segments = 0;
  let whole = 0;
  const link = { delayMs: 10, loss: 0.2, bytesPerSecond: 4_000_000, queueBytes: 400_000 };
  for (let seed = 1; seed <= 6; seed++) {
    const sent = new Prng(seed).bytes(60 * SEGMENT);
    const { stats, whole: came, missing } = transfer({ seed, link, congestion: "bbr" }, sent, 0.9);
    assert.ok(Math.abs(stats.loss - 0.2) < 0.08, `seed ${seed}: loss ${stats.loss}`);
    assert.equal(stats.weighted.segments, 60);
    assert.ok(stats.weighted.bytesGivenUp >= missing);
    segments += 60;
    whole += came;
  }
  // Four transmissions keep (1 - 0.2^4)^15 = 0.976; four standard deviations of 360 segments are 0.032.
  assert.ok(whole / segments >= 0.9, `${whole} of ${segments}`);
  assert.ok(whole < segments);
});

test("udp: the same in padded frames, with bursts, reordering, repeats and new keys", () => {
  const sent = new Prng(3).bytes(300_000);
  for (let seed = 1; seed <= 12; seed++) {
    const { pair, missing, stats } = transfer({
      seed,
      link: { delayMs: 20, loss: 0.1, reorder: 0.1, duplicate: 0.05, corrupt: 0.01 },
      options: { packed: seed % 2 === 0, rotatePackets: 16 },
    }, sent);
    assert.equal(pair.b!.stats().streams.weighted.bytesMissing, missing);
    assert.equal(stats.weighted.segments, 19);
    let closed = 0;
    pair.onEvent = (_side, event) => {
      if (event.type !== "closed") return;
      closed++;
      assert.equal(event.facts.error, undefined);
    };
    pair.a.close(pair.clock.nowMs);
    assert.ok(pair.run(() => closed === 2));
  }
});

test("udp: probes into silence are no losses: without loss nothing is given up", () => {
  const sent = new Uint8Array(400_000);
  for (let seed = 1; seed <= 5; seed++) {
    const link = { delayMs: 20 + seed };
    const { pair, stats, missing } = transfer(
      { seed, link },
      sent,
      undefined,
      ({ a, link }) => {
        if (a.stats().streams.bytesSent < sent.length) return;
        for (const side of ["a", "b"] as const) link.change(side, { delayMs: 1000 });
      },
    );
    assert.ok(pair.a.stats().path!.probeTimeouts > 0);
    assert.deepEqual([missing, stats.weighted.givenUp], [0, 0], `seed ${seed}`);
    assert.equal(stats.weighted.segments, 25);
  }
});
