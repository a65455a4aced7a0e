import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../../testing/prng.ts";
import { LossNoise } from "./bbr_loss_noise.ts";

const MTU = 1200;

/** Rounds of `packets` each, of which `loss` are lost by chance; `rttMs` is what each shows. */
function rounds(noise: LossNoise, count: number, packets: number, loss: number, rttMs = 50): void {
  const prng = new Prng(3);
  for (let round = 0, sequence = 0; round < count; round++) {
    for (let i = 0; i < packets; i++, sequence++) {
      if (prng.chance(loss)) noise.onLost(sequence);
      else noise.onAcked(1, rttMs);
    }
    noise.onRound(true);
  }
}

test("loss noise: a path that loses nothing tolerates 2 %, and never less than one packet", () => {
  const noise = new LossNoise();
  rounds(noise, 50, 100, 0);
  assert.equal(noise.share, 0);
  assert.ok(Math.abs(noise.tolerance(100 * MTU, MTU) - 2 * MTU) < 1e-6);
  assert.equal(noise.tolerance(10 * MTU, MTU), MTU);
});

test("loss noise: what is lost in quiet rounds is learnt, a little too low, and tolerated", () => {
  for (const loss of [0.01, 0.05, 0.2]) {
    const noise = new LossNoise();
    rounds(noise, 200, 200, loss);
    assert.ok(noise.share > 0.4 * loss && noise.share <= loss, `${noise.share} of ${loss}`);
    assert.ok(noise.tolerance(400 * MTU, MTU) > 1.1 * loss * 400 * MTU);
    assert.ok(noise.tolerance(400 * MTU, MTU) < (loss + 0.1) * 400 * MTU, "and not far more");
  }
});

test("loss noise: loss with a queue, or while probing, is none", () => {
  const queued = new LossNoise();
  queued.onAcked(1, 50);
  queued.onRound(true);
  rounds(queued, 100, 100, 0.1, 60);
  assert.equal(queued.share, 0);
  const probing = new LossNoise();
  for (let sequence = 0; sequence < 1000; sequence += 2) {
    probing.onAcked(1, 50);
    probing.onLost(sequence);
    if (sequence % 100 === 0) probing.onRound(false);
  }
  assert.equal(probing.share, 0);
});

test("loss noise: loss that comes and goes, as others cause it, is hardly believed", () => {
  const noise = new LossNoise();
  let sequence = 0;
  for (let round = 0; round < 300; round++) {
    for (let i = 0; i < 100; i++, sequence++) {
      if (round % 5 === 0 && i < 20) noise.onLost(sequence);
      else noise.onAcked(1, 50);
    }
    noise.onRound(true);
  }
  // A fifth of every fifth round: 4 % in all.
  assert.ok(noise.share < 0.02, `${noise.share}`);
});

test("loss noise: is forgotten within a few rounds when the path is clean again", () => {
  const noise = new LossNoise();
  rounds(noise, 200, 200, 0.1);
  rounds(noise, 8, 200, 0);
  assert.ok(noise.share < 0.001, `${noise.share}`);
});

test("loss noise: never believes more than 35 %", () => {
  const noise = new LossNoise();
  rounds(noise, 400, 200, 0.8);
  assert.equal(noise.share, 0.35);
});
