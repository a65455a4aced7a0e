import assert from "node:assert/strict";
import { test } from "node:test";
import { DeliveryRate } from "./delivery_rate.ts";
import { packetFor } from "./packet_for_test.ts";
import type { SentPacket } from "./sent_packet.ts";

function send(rate: DeliveryRate, sequence: number, nowMs: number, inFlight: number): SentPacket {
  const packet = packetFor(sequence, nowMs, { size: 1000 });
  rate.onSent(packet, nowMs, inFlight);
  return packet;
}

test("no acknowledged packet, no sample", () => {
  const rate = new DeliveryRate();
  const packet = send(rate, 0, 0, 0);
  assert.equal(rate.sample(10), undefined);
  rate.onLost(packet);
  assert.equal(rate.sample(10), undefined);
  assert.equal(rate.lost, 1000);
});

test("one packet on an idle path gives its size over its round trip", () => {
  const rate = new DeliveryRate();
  const packet = send(rate, 0, 100, 0);
  rate.onAcked(packet, 150);
  const sample = rate.sample(150)!;
  assert.equal(sample.deliveryRate, 20);
  assert.equal(sample.rttMs, 50);
  assert.equal(sample.intervalMs, 50);
  assert.equal(sample.delivered, 1000);
  assert.equal(sample.priorDelivered, 0);
  assert.equal(sample.totalDelivered, 1000);
  assert.equal(sample.priorInFlight, 1000);
  assert.equal(sample.inFlightAtSend, 1000);
  assert.equal(sample.isAppLimited, false);
});

test("a burst through a bottleneck measures the bottleneck", () => {
  const rate = new DeliveryRate();
  // A window of 20 packets, one packet per ms leaves the bottleneck, 10 ms of delay.
  const onWay: { packet: SentPacket; atMs: number }[] = [];
  let free = 0;
  let sequence = 0;
  const put = (nowMs: number): void => {
    free = Math.max(free, nowMs) + 1;
    const packet = send(rate, sequence++, nowMs, onWay.length * 1000);
    onWay.push({ packet, atMs: free + 10 });
  };
  for (let count = 0; count < 20; count++) put(0);
  let last = 0;
  for (let count = 0; count < 500; count++) {
    const { packet, atMs } = onWay.shift()!;
    rate.onAcked(packet, atMs);
    const sample = rate.sample(atMs)!;
    assert.ok(sample.deliveryRate <= 1000 + 1e-6, String(sample.deliveryRate));
    last = sample.deliveryRate;
    put(atMs);
  }
  assert.equal(last, 1000);
});

test("compressed ACKs cannot show more than was sent", () => {
  const rate = new DeliveryRate();
  const packets: SentPacket[] = [];
  for (let index = 0; index < 50; index++) packets.push(send(rate, index, index, index * 1000));
  // All arrive at the same moment.
  for (const packet of packets) rate.onAcked(packet, 60);
  const sample = rate.sample(60)!;
  assert.equal(sample.delivered, 50_000);
  assert.equal(sample.intervalMs, 60);
  assert.equal(sample.newlyAcked, 50_000);
  const next = [50, 51, 52].map((sequence) => send(rate, sequence, 61 + sequence - 50, 1000));
  rate.onAcked(next[0]!, 63.5);
  assert.ok(rate.sample(63.5)!.deliveryRate <= 1000);
});

test("an interval under the smallest RTT gives no rate", () => {
  const rate = new DeliveryRate();
  const packet = send(rate, 0, 0, 0);
  rate.onAcked(packet, 5);
  const sample = rate.sample(5, 10)!;
  assert.equal(sample.deliveryRate, 0);
  assert.equal(sample.newlyAcked, 1000);
});

test("a clock that stands still gives no infinite rate", () => {
  const rate = new DeliveryRate();
  rate.onAcked(send(rate, 0, 7, 0), 7);
  assert.equal(rate.sample(7)!.deliveryRate, 0);
});

test("app-limited lasts until what was in flight is delivered", () => {
  const rate = new DeliveryRate();
  const before = send(rate, 0, 0, 0);
  rate.setAppLimited(1000);
  const during = send(rate, 1, 1, 1000);
  rate.onAcked(before, 10);
  assert.equal(rate.sample(10)!.isAppLimited, false);
  assert.equal(rate.appLimited, true);
  rate.onAcked(during, 11);
  assert.equal(rate.sample(11)!.isAppLimited, true);
  assert.equal(rate.appLimited, false);
  const after = send(rate, 2, 12, 0);
  rate.onAcked(after, 22);
  assert.equal(rate.sample(22)!.isAppLimited, false);
});

test("losses since the packet was sent are told with it", () => {
  const rate = new DeliveryRate();
  const packets = [0, 1, 2, 3].map((sequence) => send(rate, sequence, 0, sequence * 1000));
  rate.onAcked(packets[3]!, 10);
  rate.onLost(packets[0]!);
  const sample = rate.sample(10)!;
  assert.equal(sample.lost, 1000);
  assert.equal(sample.newlyLost, 1000);
  assert.equal(sample.priorInFlight, 4000);
  const later = send(rate, 4, 11, 2000);
  rate.onAcked(later, 20);
  assert.equal(rate.sample(20)!.lost, 0);
});

test("packets outside of congestion control count nothing", () => {
  const rate = new DeliveryRate();
  const packet = packetFor(0, 0, { inFlight: false, ackEliciting: false });
  rate.onSent(packet, 0, 0);
  rate.onAcked(packet, 10);
  assert.equal(rate.sample(10), undefined);
  assert.equal(rate.delivered, 0);
});
