import assert from "node:assert/strict";
import { test } from "node:test";
import type { RateSample } from "../recovery/delivery_rate.ts";
import { StandingQueue } from "./bbr_standing_queue.ts";

const MTU = 1200;

function sample(rttMs: number, deliveryRate: number): RateSample {
  return {
    deliveryRate,
    delivered: 0,
    priorDelivered: 0,
    totalDelivered: 0,
    intervalMs: 0,
    rttMs,
    isAppLimited: false,
    lost: 0,
    newlyAcked: 0,
    newlyLost: 0,
    priorInFlight: 0,
    inFlightAtSend: 0,
  };
}

/** A round of four ACKs of a flow whose estimate is 1000 bytes per ms, on an empty path of 50 ms. */
function round(
  queue: StandingQueue,
  rtts: readonly number[],
  rate: number,
  { steady = true, restraint = 1 } = {},
): void {
  for (const rttMs of rtts) queue.onSample(sample(rttMs, rate), restraint, 1000, 50, MTU, 0);
  queue.onRound(steady, 1000, 50, MTU);
}

test("standing queue: a flow that gets less than its estimate keeps below what it gets", () => {
  const queue = new StandingQueue();
  round(queue, [80, 70, 75, 80], 900);
  assert.equal(queue.bound, 0.92 * 900);
  assert.equal(queue.stoodLastRound(50), true);
});

test("standing queue: never yields more than 30 % of the estimate", () => {
  const queue = new StandingQueue();
  round(queue, [80, 70, 75, 80], 300);
  assert.equal(queue.bound, 700);
});

test("standing queue: a flow that is alone, that sees the queue drain, or that probes does not yield", () => {
  const queue = new StandingQueue();
  round(queue, [80, 70, 75, 80], 1000);
  round(queue, [80, 70, 51, 80], 800);
  round(queue, [80, 70, 75, 80], 800, { steady: false });
  round(queue, [80, 70, 75, 80], 0, { restraint: 0 });
  assert.equal(queue.bound, Infinity);
});

test("standing queue: what the flow held back itself is not what others took", () => {
  const queue = new StandingQueue();
  round(queue, [80, 70, 75, 80], 895, { restraint: 0.9 });
  assert.equal(queue.bound, Infinity);
});

test("standing queue: the bound rises by 1 % per round without a queue", () => {
  const queue = new StandingQueue();
  round(queue, [80, 70, 75, 80], 900);
  round(queue, [51, 52, 51, 52], 820);
  assert.equal(queue.bound, 0.92 * 900 * 1.01);
});

test("standing queue: ACKs in a row show that startup has filled the pipe, ten while the rate grows, else four", () => {
  const queue = new StandingQueue();
  let nowMs = 0;
  const ack = (rttMs: number): void =>
    queue.onSample(sample(rttMs, 1000), 1, 1000, 50, MTU, nowMs++);
  for (const rttMs of [70, 70, 70, 51, 70, 70, 70]) {
    ack(rttMs);
    assert.equal(queue.isFull(false), false);
  }
  ack(70);
  assert.equal(queue.isFull(false), true);
  assert.equal(queue.isFull(true), false);
  for (let i = 0; i < 6; i++) ack(70);
  assert.equal(queue.isFull(true), true);
  assert.equal(queue.isClear, false);
  ack(51);
  assert.equal(queue.isClear, true);
});

test("standing queue: ACKs that a busy host took in one heap are one sign, and the lowest of them counts", () => {
  const queue = new StandingQueue();
  const ack = (rttMs: number, nowMs: number): void =>
    queue.onSample(sample(rttMs, 1000), 1, 1000, 50, MTU, nowMs);
  for (let i = 0; i < 20; i++) ack(70 - i / 100, 100 + i / 50);
  assert.equal(queue.isFull(false), false);
  ack(70, 102);
  ack(51, 102.1);
  assert.equal(queue.isClear, true, "what came last was late by no more than 1 ms");
  ack(70, 102.2);
  assert.equal(queue.isClear, true);
  for (const nowMs of [104, 106, 108]) ack(70, nowMs);
  assert.equal(queue.isFull(false), false);
  ack(70, 110);
  assert.equal(queue.isFull(false), true);
});
