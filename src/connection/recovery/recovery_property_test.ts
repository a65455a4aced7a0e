import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { AckRecord } from "../../codec/records.ts";
import { Prng } from "../../testing/prng.ts";
import { AckTracker } from "./ack_tracker.ts";
import { DeliveryRate } from "./delivery_rate.ts";
import { LossRecovery } from "./loss_recovery.ts";
import { packetFor } from "./packet_for_test.ts";
import { RttEstimator } from "./rtt.ts";
import type { SentPacket } from "./sent_packet.ts";

interface Weather {
  seed: number;
  loss: number;
  delayMs: number;
  jitterMs: number;
  duplicate: number;
  ackEvery: number;
  windowPackets: number;
  /** The path carries nothing from here on for two seconds. */
  outageMs: number;
}

interface Report {
  delivered: Set<number>;
  sent: number;
  lost: number;
  acked: number;
  spurious: number;
  endMs: number;
  acks: number;
  rate: number;
}

type Arrival =
  | { atMs: number; kind: "packet"; packet: SentPacket }
  | { atMs: number; kind: "ack"; record: AckRecord; sequence: number };

/** Carries `count` units over a bad path with resends, checking every rule on the way. */
function transfer(weather: Weather, count: number): Report {
  const prng = new Prng(weather.seed);
  const rtt = new RttEstimator();
  const recovery = new LossRecovery({ rtt, maxAckDelayMs: 25 });
  const rate = new DeliveryRate();
  const tracker = new AckTracker({ ackDelayMs: 25, ackEvery: weather.ackEvery });
  const seen = new Set<number>();
  const onWay: Arrival[] = [];
  const state = new Map<number, "out" | "acked" | "lost">();
  const unitOf = new Map<number, number>();
  const todo = Array.from({ length: count }, (_, unit) => unit);
  const report: Report = {
    delivered: new Set(),
    sent: 0,
    lost: 0,
    acked: 0,
    spurious: 0,
    endMs: 0,
    acks: 0,
    rate: 0,
  };
  const confirmed = new Set<number>();
  let inFlight = 0;
  let now = 0;
  let ackSequence = 0;

  const put = (arrival: Arrival): void => {
    const outage = now >= weather.outageMs && now < weather.outageMs + 2000;
    if (outage || prng.float() < weather.loss) return;
    const copies = prng.float() < weather.duplicate ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const atMs = now + weather.delayMs + prng.float() * weather.jitterMs;
      onWay.push({ ...arrival, atMs });
    }
  };
  const send = (unit: number): void => {
    const packet = packetFor(report.sent++, now);
    rate.onSent(packet, now, recovery.bytesInFlight);
    recovery.onSent(packet);
    inFlight += packet.size;
    state.set(packet.sequence, "out");
    unitOf.set(packet.sequence, unit);
    put({ atMs: 0, kind: "packet", packet });
  };
  const settle = (packets: readonly SentPacket[], fate: "acked" | "lost"): void => {
    let before = -1;
    for (const packet of packets) {
      assert.ok(packet.sequence > before, "ascending");
      before = packet.sequence;
      assert.equal(state.get(packet.sequence), "out", "each packet has one fate");
      state.set(packet.sequence, fate);
      inFlight -= packet.size;
      const unit = unitOf.get(packet.sequence)!;
      if (fate === "acked") {
        assert.ok(seen.has(packet.sequence), "only what arrived is acknowledged");
        confirmed.add(unit);
        report.acked++;
        rate.onAcked(packet, now);
      } else {
        report.lost++;
        rate.onLost(packet);
        if (unit >= 0 && !confirmed.has(unit)) todo.unshift(unit);
      }
    }
  };
  const answer = (): void => {
    tracker.endOfBatch(now);
    tracker.onTimeout(now);
    if (!tracker.due) return;
    const record = tracker.take(now)!;
    assert.ok(record.ranges.length <= 33);
    let above = Infinity;
    for (const [low, high] of record.ranges) {
      assert.ok(low <= high && high < above - 1);
      above = low;
    }
    report.acks++;
    put({ atMs: 0, kind: "ack", record, sequence: ackSequence++ });
  };

  for (let step = 0; step < 200_000; step++) {
    while (recovery.bytesInFlight < weather.windowPackets * 1200) {
      let unit = todo.shift();
      while (unit !== undefined && confirmed.has(unit)) unit = todo.shift();
      if (unit === undefined) break;
      send(unit);
    }
    if (confirmed.size - Number(confirmed.has(-1)) === count && !recovery.hasInFlight) break;
    onWay.sort((a, b) => a.atMs - b.atMs);
    const next = Math.min(
      onWay[0]?.atMs ?? Infinity,
      recovery.nextTimeout() ?? Infinity,
      tracker.nextTimeout() ?? Infinity,
    );
    assert.ok(Number.isFinite(next), "something always happens while units are missing");
    now = Math.max(now, next);
    while (onWay.length > 0 && onWay[0]!.atMs <= now) {
      const arrival = onWay.shift()!;
      if (arrival.kind === "packet") {
        const { sequence } = arrival.packet;
        report.delivered.add(unitOf.get(sequence)!);
        if (seen.has(sequence)) continue;
        seen.add(sequence);
        tracker.onPacket(sequence, true, now, false);
        continue;
      }
      const outcome = recovery.onAck(arrival.record, now);
      assert.equal(outcome.error, undefined);
      report.spurious += outcome.spurious;
      settle(outcome.acked, "acked");
      settle(outcome.lost, "lost");
      const sample = rate.sample(now);
      if (sample !== undefined) {
        assert.ok(sample.delivered > 0 && sample.deliveryRate >= 0);
        assert.ok(Number.isFinite(sample.deliveryRate));
        assert.ok(sample.rttMs >= 2 * weather.delayMs - 1e-6);
        assert.ok(sample.newlyAcked <= sample.priorInFlight);
        report.rate = sample.deliveryRate;
      }
      // The sender's own packets tell the receiver that its ACK arrived.
      if (prng.float() < 0.1) tracker.onAckAcked(arrival.record.largest);
    }
    answer();
    // A loss timer may end with a probe timeout that is due already, and that ends it.
    let calls = 0;
    for (let due = recovery.nextTimeout(); due !== undefined && due <= now;) {
      assert.ok(++calls <= 2, "no busy loop");
      const outcome = recovery.onTimeout(now);
      settle(outcome.lost, "lost");
      for (let probe = 0; probe < outcome.probes; probe++) send(-1);
      due = recovery.nextTimeout();
    }
    assert.equal(recovery.bytesInFlight, inFlight);
    assert.ok(recovery.largestAcked < report.sent);
  }
  assert.equal(confirmed.size - Number(confirmed.has(-1)), count);
  assert.equal(recovery.bytesInFlight, 0);
  assert.equal(recovery.nextTimeout(), undefined);
  report.endMs = now;
  return report;
}

const CALM: Weather = {
  seed: 1,
  loss: 0,
  delayMs: 25,
  jitterMs: 0,
  duplicate: 0,
  ackEvery: 16,
  windowPackets: 50,
  outageMs: Infinity,
};

test("a calm path loses nothing, resends nothing and acknowledges sparsely", () => {
  const report = transfer(CALM, 2000);
  assert.deepEqual([report.sent, report.lost, report.spurious], [2000, 0, 0]);
  assert.ok(report.acks < 300, String(report.acks));
});

test("a path that jitters by half an RTT soon stops looking like one that loses", () => {
  const report = transfer({ ...CALM, jitterMs: 25 }, 3000);
  assert.equal(report.delivered.size, 3000);
  assert.ok(report.lost < 300, `${report.lost} of ${report.sent} declared lost`);
});

test("two seconds of silence end with a probe", () => {
  const report = transfer({ ...CALM, outageMs: 200 }, 1000);
  assert.ok(report.endMs < 6000, String(report.endMs));
});

test("every unit arrives, every packet has one fate, no deadline is in the past, on any path", () => {
  const weather = fc.record({
    seed: fc.nat(),
    loss: fc.constantFrom(0, 0.01, 0.05, 0.2, 0.4),
    delayMs: fc.constantFrom(0.05, 1, 25, 150),
    jitterMs: fc.constantFrom(0, 0.5, 10, 100),
    duplicate: fc.constantFrom(0, 0.1),
    ackEvery: fc.constantFrom(1, 2, 16, 64),
    windowPackets: fc.constantFrom(2, 10, 100),
    outageMs: fc.constantFrom(Infinity, 50),
  });
  fc.assert(
    fc.property(weather, (conditions) => {
      assert.equal(
        [...transfer(conditions, 300).delivered].filter((unit) => unit >= 0).length,
        300,
      );
    }),
    { numRuns: 60 },
  );
});
