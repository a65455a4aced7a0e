import assert from "node:assert/strict";
import { test } from "node:test";
import { Bottleneck } from "./bottleneck_for_test.ts";
import { Bbr } from "./bbr.ts";
import { AckAggregation } from "./bbr_ack_aggregation.ts";
import { BbrBounds, flightAtThreshold } from "./bbr_bounds.ts";
import { FullPipe } from "./bbr_full_pipe.ts";
import { MaxBandwidth } from "./bbr_max_bandwidth.ts";
import { MinRtt } from "./bbr_min_rtt.ts";
import { BbrSchedule } from "./bbr_schedule.ts";
import { packetFor, sequencesOf } from "../recovery/packet_for_test.ts";
import type { SentPacket } from "../recovery/sent_packet.ts";
import { MTU, WindowDriver } from "./window_for_test.ts";

test("bbr: startup, drain, then the cycle of probes in order, and a probe for the round trip", () => {
  const net = new Bottleneck({ rate: 2000, rttMs: 40, buffer: 160_000 });
  const flow = net.add({ controller: new Bbr(1200) });
  const phases: string[] = [];
  const since = new Map<string, number>();
  let probeRttMs = 0;
  flow.onAck = () => {
    const phase = flow.controller.state();
    if (phase !== phases[phases.length - 1]) {
      if (phases[phases.length - 1] === "probe_rtt") {
        probeRttMs = net.nowMs - since.get("probe_rtt")!;
      }
      phases.push(phase);
      since.set(phase, net.nowMs);
    }
    if (phase === "probe_rtt" && net.nowMs > since.get("probe_rtt")! + 60) {
      assert.ok(flow.recovery.bytesInFlight <= 0.6 * 80_000, "the path is half empty");
    }
  };
  net.run(5000);
  // On an empty path every cycle sees the lowest round trip; on a longer one it has to be looked for.
  assert.ok(!phases.includes("probe_rtt"));
  net.link.rttMs = 60;
  net.run(16_000);
  assert.deepEqual(phases.slice(0, 2), ["startup", "drain"]);
  // A path that is already empty enough leaves "down" with the same ACK.
  const next: Record<string, string[]> = {
    drain: ["probe_bw_down", "probe_bw_cruise"],
    probe_bw_down: ["probe_bw_cruise", "probe_bw_refill", "probe_rtt"],
    probe_bw_cruise: ["probe_bw_refill", "probe_rtt"],
    probe_bw_refill: ["probe_bw_up", "probe_rtt"],
    probe_bw_up: ["probe_bw_down", "probe_bw_cruise", "probe_rtt"],
    probe_rtt: ["probe_bw_cruise"],
  };
  for (let i = 2; i < phases.length; i++) {
    assert.ok(next[phases[i - 1]!]!.includes(phases[i]!), `${phases[i - 1]} to ${phases[i]}`);
  }
  assert.ok(phases.filter((phase) => phase === "probe_bw_up").length >= 5);
  assert.ok(phases.includes("probe_rtt"));
  assert.ok(probeRttMs >= 200 && probeRttMs < 400, `${probeRttMs} ms`);
});

test("bbr: startup more than doubles the rate per round trip and is unpaced before the first sample", () => {
  const driver = new WindowDriver(new Bbr(MTU));
  assert.equal(driver.packets, 10);
  assert.equal(driver.controller.pacingRate, undefined);
  driver.round(50);
  assert.equal(driver.packets, 30);
  // A third of a round trip is enough for the window, less 0.5 %.
  assert.ok(Math.abs(driver.controller.pacingRate! - 30 * MTU * 3 / 50 * 0.995) < 1);
  for (let round = 0; round < 3; round++) driver.round(50);
  assert.ok(driver.packets > 300);
  // The rate that the last window in 50 ms shows, times 4 ln 2, less 0.5 %.
  const { window } = driver.controller;
  driver.round(50);
  const expected = window / 50 * 4 * Math.LN2 * 0.995;
  assert.ok(Math.abs(driver.controller.pacingRate! / expected - 1) < 0.01);
});

test("bbr: on a short path startup is paced by what arrives, not by the window", () => {
  const driver = new WindowDriver(new Bbr(MTU));
  driver.round(5);
  const expected = 10 * MTU / 5 * 4 * Math.LN2 * 0.995;
  assert.ok(Math.abs(driver.controller.pacingRate! - expected) < 1);
});

test("bbr: is not paced below 2 ms of round trip", () => {
  const driver = new WindowDriver(new Bbr(MTU));
  driver.round(1);
  assert.equal(driver.controller.pacingRate, undefined);
});

test("bbr: an application that pauses does not make it forget the bandwidth", () => {
  const driver = new WindowDriver(new Bbr(MTU));
  for (let i = 0; i < 5; i++) driver.round(50);
  const rate = driver.controller.pacingRate!;
  for (let i = 0; i < 60; i++) {
    driver.rate.setAppLimited(driver.bytesInFlight);
    driver.controller.onIdleRestart(driver.nowMs);
    const packet = driver.send();
    driver.nowMs += 50;
    driver.ack([packet]);
  }
  assert.equal(driver.controller.state(), "startup");
  assert.ok(driver.controller.pacingRate! >= rate);
});

test("bbr: persistent congestion cuts the window to what is in flight, at least four packets", () => {
  const driver = new WindowDriver(new Bbr(MTU));
  for (let i = 0; i < 3; i++) driver.round(50);
  driver.lose(driver.fill(), true);
  assert.equal(driver.packets, 4);
});

test("bbr: loss on a long startup path ends startup", () => {
  const net = new Bottleneck({ rate: 2000, rttMs: 40, buffer: 20_000 });
  const flow = net.add({ controller: new Bbr(1200) });
  net.run(600);
  assert.notEqual(flow.controller.state(), "startup");
});

test("max bandwidth: remembers this and the previous cycle", () => {
  const filter = new MaxBandwidth();
  filter.update(100);
  filter.update(80);
  assert.equal(filter.value, 100);
  filter.advance();
  filter.update(60);
  assert.equal(filter.value, 100);
  filter.advance();
  assert.equal(filter.value, 60);
  filter.advance();
  assert.equal(filter.value, 60, "a cycle without samples forgets nothing");
});

test("min rtt: holds for ten seconds, asks to be probed after five", () => {
  const filter = new MinRtt();
  filter.update(50, 0);
  filter.update(60, 4000);
  assert.equal(filter.value, 50);
  assert.equal(filter.expired, false);
  filter.update(61, 5001);
  assert.equal(filter.expired, true);
  filter.update(60, 5100);
  assert.equal(filter.expired, false);
  assert.equal(filter.value, 50);
  filter.update(62, 10_001);
  assert.equal(filter.value, 60);
});

test("ack aggregation: what comes at once beyond the bandwidth, forgotten after ten rounds", () => {
  const filter = new AckAggregation();
  filter.update(1000, 100, 50_000, 0);
  filter.update(5000, 100, 50_000, 10);
  assert.equal(filter.extra, 5000);
  for (let i = 0; i < 10; i++) filter.onRound();
  assert.equal(filter.extra, 0);
});

test("full pipe: three rounds without a quarter more", () => {
  const pipe = new FullPipe();
  for (const rate of [100, 130, 170]) pipe.update(rate, true);
  pipe.update(180, true);
  pipe.update(190, false);
  pipe.update(190, true);
  assert.equal(pipe.now, false);
  pipe.update(200, true);
  assert.equal(pipe.now, true);
  pipe.reset(200);
  assert.equal(pipe.now, false);
});

test("bounds: the flight at which loss passed the threshold", () => {
  const packet = packetFor(100, 0);
  packet.inFlightAtSend = 101 * MTU;
  // 100 packets before it may lose two; one had been lost, so (2 - 1) / 0.98 packets more were tolerable.
  const flight = flightAtThreshold(packet, 2 * MTU, 0.02);
  assert.ok(Math.abs(flight / MTU - (100 + 1 / 0.98)) < 1e-6);
  assert.equal(flightAtThreshold(packet, 20 * MTU, 0.02), 100 * MTU);
});

test("bounds: rise by 8, 16, 32 packets per round while probing", () => {
  const bounds = new BbrBounds();
  bounds.flightHigh = 100 * MTU;
  bounds.startRaising();
  const growth: number[] = [];
  for (let round = 0; round < 4; round++) {
    const before = bounds.flightHigh;
    for (let i = 0; i < 100; i++) bounds.raise(MTU, 100 * MTU, MTU, i === 99);
    growth.push(Math.round((bounds.flightHigh - before) / MTU));
  }
  assert.deepEqual(growth, [8, 16, 32, 64]);
});

test("bounds: losses that were none leave no bound", () => {
  const bounds = new BbrBounds();
  bounds.flightHigh = 100 * MTU;
  bounds.save();
  bounds.onLoss(10);
  bounds.flightHigh = 70 * MTU;
  bounds.flightLow = 50 * MTU;
  bounds.bandwidthLow = 9;
  bounds.restore();
  assert.deepEqual(
    [bounds.flightHigh, bounds.flightLow, bounds.bandwidthLow, bounds.lossInRound],
    [100 * MTU, Infinity, Infinity, false],
  );
});

test("bbr: startup that losses ended goes on when they turn out to have been none", () => {
  const driver = new WindowDriver(new Bbr(MTU));
  for (let round = 0; round < 5; round++) driver.round(50);
  let lost: SentPacket[] = [];
  for (let round = 0; round < 3 && driver.controller.state() === "startup"; round++) {
    const flight = driver.fill();
    driver.nowMs += 50;
    lost = flight.filter((packet) => packet.sequence % 10 < 7);
    driver.lose(lost);
    for (const packet of flight) if (packet.sequence % 10 >= 7) driver.ack([packet]);
  }
  assert.notEqual(driver.controller.state(), "startup", "70 % of a flight are too much");
  driver.controller.onSpuriousLoss(sequencesOf(lost.slice(1)));
  assert.notEqual(driver.controller.state(), "startup", "one is still lost");
  driver.controller.onSpuriousLoss(sequencesOf(lost.slice(0, 1)));
  assert.equal(driver.controller.state(), "startup");
});

test("schedule: two to three seconds, different for different flows, or as many rounds as packets", () => {
  const waits = new Set<number>();
  for (let flow = 0; flow < 50; flow++) {
    const schedule = new BbrSchedule();
    schedule.restart(1000 + flow / 7, flow * 31);
    assert.equal(schedule.isDue(3000, 100, true), false);
    assert.equal(schedule.isDue(4001, 100, true), true);
    let wait = 2000;
    while (!schedule.isDue(1000 + flow / 7 + wait, 100, true)) wait += 10;
    waits.add(wait);
  }
  assert.ok(waits.size > 25, `${waits.size} different waits`);
  const schedule = new BbrSchedule();
  schedule.restart(0, 0);
  for (let round = 0; round < 20; round++) schedule.onRound();
  assert.equal(schedule.isDue(1, 20, true), true);
  assert.equal(schedule.isDue(1, 62, true), false);
});

test("schedule: a probe soon after the last one waits until its queue is gone, one of old does not", () => {
  const schedule = new BbrSchedule();
  schedule.restart(1000, 1, 100);
  assert.equal(schedule.isDue(1101, 100, true), true);
  assert.equal(schedule.isDue(2999, 100, false), false);
  assert.equal(schedule.isDue(4001, 100, false), true);
});
