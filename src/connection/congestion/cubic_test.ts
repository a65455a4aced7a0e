import assert from "node:assert/strict";
import { test } from "node:test";
import { Cubic } from "./cubic.ts";
import { CubicCurve } from "./cubic_curve.ts";
import { HyStart } from "./hystart.ts";
import { MTU, WindowDriver } from "./window_for_test.ts";

/** Rounds of a busy sender on the curve; returns the window after each. */
function climb(curve: CubicCurve, window: number, rttSeconds: number, rounds: number): number[] {
  const windows: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const flight = window;
    for (let acked = 0; acked < flight; acked++) {
      window = curve.grow(window, 1, rttSeconds);
      curve.advance(rttSeconds / flight);
    }
    windows.push(window);
  }
  return windows;
}

test("the curve is back at the old window after K seconds, flat there, steep before and after", () => {
  const curve = new CubicCurve();
  curve.onReduction(1000);
  // K = cbrt(300 / 0.4) = 9.09 s, 91 rounds of 100 ms.
  const windows = climb(curve, 700, 0.1, 140);
  assert.ok(Math.abs(windows[90]! - 1000) < 5, `${windows[90]}`);
  const growth = (round: number): number => windows[round]! - windows[round - 1]!;
  assert.ok(growth(10) > 5);
  assert.ok(growth(88) < 0.5);
  assert.ok(growth(138) > 2.5);
});

test("the curve keeps to RFC 9438 within a packet", () => {
  const curve = new CubicCurve();
  curve.onReduction(1000);
  const windows = climb(curve, 700, 0.1, 120);
  const plateau = Math.cbrt(300 / 0.4);
  for (const round of [20, 50, 80, 110]) {
    const expected = 0.4 * ((round + 1) * 0.1 - plateau) ** 3 + 1000;
    assert.ok(Math.abs(windows[round]! - expected) < 4, `${windows[round]} for ${expected}`);
  }
});

test("on short paths the curve grows at least as fast as Reno would", () => {
  const curve = new CubicCurve();
  curve.onReduction(100);
  const windows = climb(curve, 70, 0.005, 60);
  // 3 (1 - 0.7) / (1 + 0.7) = 0.529 packets per round.
  assert.ok(windows[55]! >= 70 + 56 * 0.529 - 1, `${windows[55]}`);
  const later = climb(curve, windows[59]!, 0.005, 10);
  assert.ok(later[9]! - later[0]! > 8, "beyond the old window it grows by one packet per round");
});

test("a flow that lost below its last maximum aims lower", () => {
  const curve = new CubicCurve();
  curve.onReduction(100);
  curve.onReduction(80);
  // Plateau 80 * 1.7 / 2 = 68, window 56: K = cbrt(12 / 0.4) = 3.1 s.
  const windows = climb(curve, 56, 0.5, 7);
  assert.ok(Math.abs(windows[5]! - 68) < 0.5, `${windows[5]}`);
});

test("growth is at most half the window per round trip", () => {
  const curve = new CubicCurve();
  const windows = climb(curve, 10, 10, 3);
  assert.ok(windows[2]! <= 10 * Math.exp(0.5 * 3));
});

test("cubic: a pause does not move along the curve", () => {
  const run = (pauseMs: number): number => {
    const driver = new WindowDriver(new Cubic(MTU));
    for (let i = 0; i < 3; i++) driver.round(50);
    driver.lose(driver.fill().slice(0, 1));
    driver.bytesInFlight = 0;
    for (let i = 0; i < 5; i++) driver.round(50);
    driver.nowMs += pauseMs;
    driver.controller.onIdleRestart(driver.nowMs);
    for (let i = 0; i < 5; i++) driver.round(50);
    return driver.packets;
  };
  assert.ok(Math.abs(run(60_000) - run(0)) < 0.5);
});

test("cubic: HyStart++ leaves slow start when the round trip grows, before any loss", () => {
  const driver = new WindowDriver(new Cubic(MTU));
  for (let i = 0; i < 3; i++) driver.round(50);
  assert.equal(driver.controller.state(), "slow_start");
  driver.round(60);
  assert.equal(driver.controller.state(), "conservative_slow_start");
  const before = driver.packets;
  driver.round(60);
  assert.ok(driver.packets <= before * 1.25 + 1);
  for (let i = 0; i < 4; i++) driver.round(60);
  assert.equal(driver.controller.state(), "congestion_avoidance");
});

test("HyStart++: takes a round trip that falls again for jitter", () => {
  const hystart = new HyStart();
  const round = (first: number, rttMs: number): boolean => {
    let over = false;
    for (let i = first; i < first + 10; i++) over = hystart.onAcked(rttMs, i, first + 9) || over;
    return over;
  };
  round(0, 50);
  round(10, 50);
  assert.equal(hystart.conservative, false);
  round(20, 60);
  assert.equal(hystart.conservative, true);
  assert.equal(hystart.divisor, 4);
  round(30, 50);
  assert.equal(hystart.conservative, false);
  assert.equal(hystart.divisor, 1);
});

test("HyStart++: fewer than eight samples in a round decide nothing, nor does a rise below 4 ms", () => {
  const hystart = new HyStart();
  for (let i = 0; i < 10; i++) hystart.onAcked(20, i, 9);
  for (let i = 10; i < 17; i++) hystart.onAcked(90, i, 19);
  assert.equal(hystart.conservative, false);
  hystart.onAcked(20, 19, 19);
  for (let i = 20; i < 30; i++) hystart.onAcked(23.9, i, 29);
  assert.equal(hystart.conservative, false);
});
