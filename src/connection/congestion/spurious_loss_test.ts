import assert from "node:assert/strict";
import { test } from "node:test";
import { Bottleneck } from "./bottleneck_for_test.ts";
import type { CongestionController } from "./controller.ts";
import { controllerFor } from "./controllers.ts";
import { Cubic } from "./cubic.ts";
import { CubicCurve } from "./cubic_curve.ts";
import { NewReno } from "./new_reno.ts";
import { RecoveryPeriod } from "./recovery_period.ts";
import { packetFor, sequencesOf } from "../recovery/packet_for_test.ts";
import { MTU, WindowDriver } from "./window_for_test.ts";

const WINDOWED: readonly (() => CongestionController)[] = [
  () => new NewReno(MTU),
  () => new Cubic(MTU),
];

test("recovery period: refuted when every loss of it was none, and only once", () => {
  const period = new RecoveryPeriod();
  const packets = [1, 2, 3, 4, 5, 6].map((sequence) => packetFor(sequence, 0));
  assert.equal(period.begins(packets.slice(0, 2), 4), true);
  assert.equal(period.begins(packets.slice(2, 3), 6), false, "a loss of the same flight");
  assert.equal(period.isRefuted([1]), false);
  assert.equal(period.isRefuted([9]), false, "of no flight that was lost");
  assert.equal(period.isRefuted([2, 3]), true);
  assert.equal(period.active, false);
  assert.equal(period.isRefuted([2, 3]), false);
  assert.equal(period.begins(packets.slice(3, 4), 6), true, "the next loss counts again");
});

test("recovery period: losses of an older period do not refute the younger", () => {
  const period = new RecoveryPeriod();
  period.begins([packetFor(1, 0)], 4);
  period.begins([packetFor(5, 0)], 8);
  assert.equal(period.isRefuted([1]), false);
  assert.equal(period.isRefuted([5]), true);
});

test("recovery period: persistent congestion is not refuted", () => {
  const period = new RecoveryPeriod();
  period.begins([packetFor(1, 0)], 4);
  period.confirm();
  assert.equal(period.isRefuted([1]), false);
});

for (const make of WINDOWED) {
  const { name } = make();
  test(`${name}: a reduction for losses that were none is undone`, () => {
    const driver = new WindowDriver(make());
    for (let round = 0; round < 3; round++) driver.round(50);
    const before = driver.packets;
    const lost = driver.fill().slice(3, 6);
    driver.lose(lost.slice(0, 2));
    driver.lose(lost.slice(2));
    assert.ok(driver.packets < before);
    assert.equal(driver.controller.state(), "recovery");
    driver.controller.onSpuriousLoss(sequencesOf(lost.slice(0, 2)));
    assert.ok(driver.packets < before, "one of the three is still lost");
    driver.controller.onSpuriousLoss(sequencesOf(lost.slice(2)));
    assert.equal(driver.packets, before);
    assert.equal(driver.controller.state(), "slow_start", "the threshold is as it was");
  });

  test(`${name}: persistent congestion is never undone`, () => {
    const driver = new WindowDriver(make());
    for (let round = 0; round < 3; round++) driver.round(50);
    const lost = driver.fill().slice(3, 6);
    driver.lose(lost, true);
    driver.controller.onSpuriousLoss(sequencesOf(lost));
    assert.equal(driver.packets, 2);
  });
}

test("cubic: an undone reduction leaves the curve where it was", () => {
  const climb = (disturbed: boolean): number => {
    const curve = new CubicCurve();
    curve.onReduction(500);
    let window = 350;
    for (let step = 0; step < 20_000; step++) {
      window = curve.grow(window, 1, 0.1);
      curve.advance(0.1 / window);
      if (disturbed && step === 10_000) {
        curve.onReduction(window);
        curve.undoReduction();
      }
    }
    return window;
  };
  assert.equal(climb(true), climb(false));
});

for (const name of ["newreno", "cubic", "bbr"] as const) {
  test(`${name}: 5 % of packets out of order do not look like congestion`, () => {
    const net = new Bottleneck({ rate: 2000, rttMs: 50, buffer: 100_000, reorder: 0.05 });
    const flow = net.add({ controller: controllerFor(name, 1200), timerSlackMs: 1 });
    net.run(3000);
    net.mark();
    net.run(13_000);
    const share = flow.received / 2000 / 10_000;
    assert.ok(share >= 0.9, `share of the link ${share.toFixed(3)}`);
  });
}
