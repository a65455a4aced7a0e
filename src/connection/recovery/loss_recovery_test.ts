import assert from "node:assert/strict";
import { test } from "node:test";
import { LossRecovery } from "./loss_recovery.ts";
import { ackFor, packetFor, sequencesOf } from "./packet_for_test.ts";
import { RttEstimator } from "./rtt.ts";

function start(maxAckDelayMs = 25): { rtt: RttEstimator; recovery: LossRecovery } {
  const rtt = new RttEstimator();
  return { rtt, recovery: new LossRecovery({ rtt, maxAckDelayMs }) };
}

function send(recovery: LossRecovery, from: number, to: number, sentMs: number): void {
  for (let sequence = from; sequence <= to; sequence++) {
    recovery.onSent(packetFor(sequence, sentMs));
  }
}

test("an ACK takes packets out of flight and samples the RTT", () => {
  const { rtt, recovery } = start();
  send(recovery, 0, 3, 1000);
  assert.equal(recovery.bytesInFlight, 4800);
  const outcome = recovery.onAck(ackFor([[0, 2]], 5000), 1050);
  assert.deepEqual(sequencesOf(outcome.acked), [0, 1, 2]);
  assert.deepEqual(sequencesOf(outcome.lost), []);
  assert.equal(outcome.rttSampled, true);
  assert.equal(rtt.latest, 50);
  assert.equal(recovery.bytesInFlight, 1200);
  assert.equal(recovery.largestAcked, 2);
  assert.equal(recovery.hasInFlight, true);
});

test("a repeated ACK changes nothing and samples nothing", () => {
  const { rtt, recovery } = start();
  send(recovery, 0, 3, 0);
  recovery.onAck(ackFor([[1, 2]]), 50);
  const outcome = recovery.onAck(ackFor([[1, 2]]), 90);
  assert.deepEqual(sequencesOf(outcome.acked), []);
  assert.equal(outcome.rttSampled, false);
  // A hole filled below a known top says nothing about the RTT either.
  assert.equal(recovery.onAck(ackFor([[0, 2]]), 95).rttSampled, false);
  assert.equal(rtt.samples, 1);
});

test("an ACK of packets that ask for none samples nothing", () => {
  const { recovery } = start();
  recovery.onSent(packetFor(0, 0, { ackEliciting: false, inFlight: false }));
  assert.equal(recovery.bytesInFlight, 0);
  assert.equal(recovery.hasInFlight, false);
  assert.equal(recovery.nextTimeout(), undefined);
  const outcome = recovery.onAck(ackFor([[0, 0]]), 50);
  assert.deepEqual(sequencesOf(outcome.acked), [0]);
  assert.equal(outcome.rttSampled, false);
});

test("an ACK of a sequence never sent is an error and changes nothing", () => {
  const { recovery } = start();
  send(recovery, 0, 1, 0);
  const outcome = recovery.onAck(ackFor([[0, 2]]), 10);
  assert.equal(outcome.error?.code, "PROTOCOL");
  assert.deepEqual(sequencesOf(outcome.acked), []);
  assert.equal(recovery.bytesInFlight, 2400);
  assert.equal(recovery.onAck(ackFor([[0, 1]]), 10).error, undefined);
});

test("three sequences behind is lost, two is not", () => {
  const { recovery } = start();
  send(recovery, 0, 5, 0);
  const outcome = recovery.onAck(ackFor([[4, 4]]), 50);
  assert.deepEqual(sequencesOf(outcome.lost), [0, 1]);
  assert.equal(recovery.bytesInFlight, 3 * 1200);
});

test("9/8 of the RTT later the rest is lost, by timer", () => {
  const { recovery } = start();
  send(recovery, 0, 1, 0);
  recovery.onAck(ackFor([[1, 1]]), 80);
  assert.equal(recovery.nextTimeout(), 90);
  assert.deepEqual(sequencesOf(recovery.onTimeout(89.9).lost), []);
  const outcome = recovery.onTimeout(90);
  assert.deepEqual(sequencesOf(outcome.lost), [0]);
  assert.equal(outcome.probes, 0);
  assert.equal(recovery.ptoCount, 0);
  assert.equal(recovery.nextTimeout(), undefined);
});

test("the time threshold is at least the granularity", () => {
  const { recovery } = start();
  send(recovery, 0, 1, 0);
  recovery.onAck(ackFor([[1, 1]]), 0.1);
  assert.equal(recovery.nextTimeout(), 1);
});

test("probe timeouts back off, and an ACK ends the back-off", () => {
  const { rtt, recovery } = start(25);
  send(recovery, 0, 0, 0);
  recovery.onAck(ackFor([[0, 0]]), 100);
  send(recovery, 1, 2, 100);
  const pto = rtt.pto(25);
  assert.equal(pto, 325);
  assert.equal(recovery.nextTimeout(), 425);
  assert.equal(recovery.onTimeout(424).probes, 0);
  const outcome = recovery.onTimeout(425);
  assert.equal(outcome.probes, 2);
  assert.deepEqual(sequencesOf(outcome.lost), []);
  assert.equal(recovery.ptoCount, 1);
  send(recovery, 3, 4, 425);
  assert.equal(recovery.nextTimeout(), 425 + 650);
  assert.equal(recovery.onTimeout(1075).probes, 2);
  // Nothing could be sent: the next one comes later all the same.
  assert.equal(recovery.nextTimeout(), 1075 + 1300);
  recovery.onAck(ackFor([[3, 3]]), 1100);
  assert.equal(recovery.ptoCount, 0);
});

test("a lone packet is probed with one packet first", () => {
  const { recovery } = start();
  send(recovery, 0, 0, 0);
  assert.equal(recovery.onTimeout(recovery.nextTimeout()!).probes, 1);
  assert.equal(recovery.onTimeout(recovery.nextTimeout()!).probes, 2);
});

test("the back-off stops growing at a minute", () => {
  const { recovery } = start();
  send(recovery, 0, 0, 0);
  let now = 0;
  for (let count = 0; count < 100; count++) {
    const next = recovery.nextTimeout()!;
    assert.ok(next > now && next - now <= 60_000);
    now = next;
    recovery.onTimeout(now);
  }
});

test("losses over three probe timeouts are persistent congestion", () => {
  const { rtt, recovery } = start(25);
  send(recovery, 0, 0, 0);
  recovery.onAck(ackFor([[0, 0]]), 10);
  const span = 3 * rtt.pto(25);
  recovery.onSent(packetFor(1, 20));
  recovery.onSent(packetFor(2, 20 + span / 2, { ackEliciting: false, inFlight: false }));
  recovery.onSent(packetFor(3, 20 + span + 100));
  recovery.onSent(packetFor(4, 20 + span + 200));
  const outcome = recovery.onAck(ackFor([[4, 4]]), 20 + span + 210);
  assert.deepEqual(sequencesOf(outcome.lost), [1, 3]);
  assert.equal(outcome.persistentCongestion, true);
});

test("what arrived between the losses, or no RTT before them, breaks the span", () => {
  const between = start(0).recovery;
  send(between, 0, 0, 0);
  between.onAck(ackFor([[0, 0]]), 10);
  for (let sequence = 1; sequence < 6; sequence++) {
    between.onSent(packetFor(sequence, sequence * 1000));
  }
  const outcome = between.onAck(ackFor([[5, 5], [2, 2]]), 5010);
  assert.deepEqual(sequencesOf(outcome.lost), [1, 3, 4]);
  // 3 and 4 are a second apart themselves: more than three PTOs of about 30 ms.
  assert.equal(outcome.persistentCongestion, true);

  const apart = start(0).recovery;
  send(apart, 0, 0, 0);
  apart.onAck(ackFor([[0, 0]]), 10);
  for (let sequence = 1; sequence < 5; sequence++) {
    apart.onSent(packetFor(sequence, sequence * 1000));
  }
  assert.equal(apart.onAck(ackFor([[4, 4], [2, 2]]), 4010).persistentCongestion, false);

  const unknown = start(0).recovery;
  send(unknown, 0, 0, 0);
  send(unknown, 1, 1, 5000);
  send(unknown, 2, 2, 10_000);
  const first = unknown.onAck(ackFor([[2, 2]]), 10_010);
  assert.deepEqual(sequencesOf(first.lost), [0, 1]);
  assert.equal(first.persistentCongestion, false);
});

test("a packet declared lost that arrives is counted and makes the thresholds wider", () => {
  const { recovery } = start();
  send(recovery, 0, 9, 0);
  assert.deepEqual(sequencesOf(recovery.onAck(ackFor([[6, 6]]), 50).lost), [0, 1, 2, 3]);
  const outcome = recovery.onAck(ackFor([[6, 6], [0, 3]]), 51);
  assert.deepEqual(sequencesOf(outcome.acked), []);
  assert.equal(outcome.spurious, 4);
  assert.equal(recovery.spuriousLosses, 4);
  assert.equal(outcome.error, undefined);
  // 0 arrived 6 behind the top: that much is order from now on.
  send(recovery, 10, 19, 60);
  assert.deepEqual(sequencesOf(recovery.onAck(ackFor([[16, 16], [4, 9]]), 100).lost), []);
  assert.equal(recovery.onAck(ackFor([[16, 16], [0, 3]]), 101).spurious, 0);
});

test("lost MTU probes are told apart", () => {
  const { recovery } = start();
  recovery.onSent(packetFor(0, 0, { mtuProbe: true, size: 1452 }));
  send(recovery, 1, 4, 0);
  const outcome = recovery.onAck(ackFor([[1, 4]]), 10);
  assert.deepEqual(sequencesOf(outcome.lost), []);
  assert.deepEqual(sequencesOf(outcome.lostProbes), [0]);
  assert.equal(recovery.bytesInFlight, 0);
});

test("a peer that never acknowledges does not fill the memory with ACKs sent to it", () => {
  const { recovery } = start();
  send(recovery, 0, 0, 0);
  const fields = { ackEliciting: false, inFlight: false, size: 60 };
  for (let sequence = 1; sequence <= 5000; sequence++) {
    recovery.onSent(packetFor(sequence, sequence, fields));
  }
  assert.equal(recovery.stalled, false);
  const outcome = recovery.onAck(ackFor([[0, 5000]]), 6000);
  assert.equal(outcome.acked.length, 1 + 1024);
  assert.equal(recovery.bytesInFlight, 0);
});

test("discarding leaves nothing behind", () => {
  const { recovery } = start();
  send(recovery, 0, 99, 0);
  recovery.onAck(ackFor([[98, 98]]), 10);
  recovery.discardAll();
  assert.equal(recovery.bytesInFlight, 0);
  assert.equal(recovery.hasInFlight, false);
  assert.equal(recovery.nextTimeout(), undefined);
  assert.deepEqual(sequencesOf(recovery.onAck(ackFor([[0, 99]]), 20).acked), []);
});

test("another path starts with fresh back-off", () => {
  const { rtt, recovery } = start();
  send(recovery, 0, 0, 0);
  recovery.onTimeout(recovery.nextTimeout()!);
  rtt.reset();
  recovery.onPathChange();
  assert.equal(recovery.ptoCount, 0);
  assert.equal(recovery.bytesInFlight, 1200);
});
