import assert from "node:assert/strict";
import { test } from "node:test";
import type { CongestionController } from "./controller.ts";
import { Cubic } from "./cubic.ts";
import { NewReno } from "./new_reno.ts";
import { MTU, WindowDriver } from "./window_for_test.ts";

const BOTH: [string, () => CongestionController, number][] = [
  ["newreno", () => new NewReno(MTU), 0.5],
  ["cubic", () => new Cubic(MTU), 0.7],
];

for (const [name, create, left] of BOTH) {
  test(`${name}: starts with ten packets and doubles per round trip`, () => {
    const driver = new WindowDriver(create());
    assert.equal(driver.controller.name, name);
    assert.equal(driver.packets, 10);
    assert.equal(driver.controller.state(), "slow_start");
    assert.equal(driver.controller.pacingRate, undefined);
    driver.round(50);
    assert.equal(driver.packets, 20);
    driver.round(50);
    assert.equal(driver.packets, 40);
    assert.equal(driver.controller.pacingRate, 2 * 40 * MTU / 50);
  });

  test(`${name}: is not paced below 2 ms of round trip`, () => {
    const driver = new WindowDriver(create());
    driver.round(1.9);
    assert.equal(driver.controller.pacingRate, undefined);
    driver.round(20);
    assert.notEqual(driver.controller.pacingRate, undefined);
  });

  test(`${name}: reduces once per flight, however its losses are found`, () => {
    const driver = new WindowDriver(create());
    driver.round(50);
    const packets = driver.fill();
    driver.nowMs += 50;
    driver.lose(packets.slice(0, 2));
    assert.ok(Math.abs(driver.packets - 20 * left) < 1e-9);
    assert.equal(driver.controller.state(), "recovery");
    driver.lose(packets.slice(4, 6));
    driver.ack(packets.slice(6));
    assert.ok(Math.abs(driver.packets - 20 * left) < 1e-9);
    assert.equal(driver.controller.state(), "recovery");
    const next = driver.fill();
    driver.nowMs += 50;
    driver.ack(next);
    assert.equal(driver.controller.state(), "congestion_avoidance");
    const later = driver.fill();
    const before = driver.packets;
    driver.lose(later.slice(0, 1));
    assert.ok(Math.abs(driver.packets - before * left) < 1e-9);
  });

  test(`${name}: does not shrink below two packets`, () => {
    const driver = new WindowDriver(create());
    for (let i = 0; i < 20; i++) driver.lose(driver.fill().concat(driver.send()));
    assert.equal(driver.packets, 2);
  });

  test(`${name}: starts over after persistent congestion`, () => {
    const driver = new WindowDriver(create());
    driver.round(50);
    driver.lose(driver.fill(), true);
    assert.equal(driver.packets, 2);
    assert.equal(driver.controller.state(), "slow_start");
    driver.round(50);
    assert.equal(driver.packets, 4);
  });

  test(`${name}: a sender that the application limits proves nothing`, () => {
    const driver = new WindowDriver(create());
    for (let i = 0; i < 20; i++) {
      driver.rate.setAppLimited(driver.bytesInFlight);
      const packets = [driver.send(), driver.send(), driver.send()];
      driver.nowMs += 50;
      driver.ack(packets);
    }
    assert.equal(driver.packets, 10);
  });

  test(`${name}: a flight that filled the window counts though the application pauses after it`, () => {
    const driver = new WindowDriver(create());
    for (let i = 0; i < 3; i++) {
      driver.rate.setAppLimited(driver.bytesInFlight);
      driver.controller.onIdleRestart(driver.nowMs);
      driver.round(50);
    }
    assert.equal(driver.packets, 80);
  });

  test(`${name}: a lost MTU probe is no congestion, a bare ACK no proof of room`, () => {
    const driver = new WindowDriver(create());
    driver.lose([driver.send({ mtuProbe: true })]);
    assert.equal(driver.packets, 10);
    const packets = driver.fill();
    const bare = driver.send({ inFlight: false, ackEliciting: false });
    driver.nowMs += 50;
    driver.ack([...packets, bare]);
    assert.equal(driver.packets, 20);
  });

  test(`${name}: a new MTU before the first ACK makes ten packets of that size, later it keeps the bytes`, () => {
    const driver = new WindowDriver(create());
    driver.controller.onMtu(1452);
    assert.equal(driver.controller.window, 14_520);
    driver.round(50);
    const { window } = driver.controller;
    driver.controller.onMtu(1200);
    assert.equal(driver.controller.window, window);
    driver.controller.onMtu(16_384);
    assert.equal(driver.controller.window, 2 * 16_384);
  });
}

test("newreno: avoidance adds one packet per round trip", () => {
  const driver = new WindowDriver(new NewReno(MTU));
  driver.round(50);
  driver.lose(driver.fill().slice(0, 1));
  driver.bytesInFlight = 0;
  assert.equal(driver.packets, 10);
  for (let i = 1; i <= 5; i++) {
    driver.round(50);
    assert.equal(driver.packets, 10 + i);
  }
});
