import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Pacer } from "./pacer.ts";

const MTU = 1200;

/** Sends whole packets until the pacer says stop; returns how many and when to try again. */
function drain(pacer: Pacer, nowMs: number, rate: number): { packets: number; wakeMs: number } {
  for (let packets = 0;; packets++) {
    const wakeMs = pacer.nextTime(nowMs, rate, MTU);
    if (wakeMs !== undefined) return { packets, wakeMs };
    pacer.onSent(MTU, nowMs);
  }
}

test("a pacer lets ten packets go at once and then asks for a wait", () => {
  const pacer = new Pacer(MTU);
  assert.equal(pacer.budget(0, 100), 10 * MTU);
  const { packets, wakeMs } = drain(pacer, 0, 100);
  assert.equal(packets, 10);
  assert.equal(wakeMs, 12);
  assert.equal(pacer.budget(12, 100), MTU);
});

test("a fast path gets what 2 ms carry at once", () => {
  const pacer = new Pacer(MTU);
  assert.equal(pacer.budget(0, 12_000), 12_000);
  assert.equal(pacer.budget(50, 12_000), 24_000);
  assert.equal(drain(pacer, 50, 12_000).packets, 20);
});

test("no wait is below a millisecond, and nothing is lost by that", () => {
  const pacer = new Pacer(MTU);
  const first = drain(pacer, 0, 6000);
  assert.equal(first.wakeMs, 1);
  assert.equal(drain(pacer, 1, 6000).packets, 5);
});

test("without a rate everything goes", () => {
  const pacer = new Pacer(MTU);
  drain(pacer, 0, 10);
  assert.equal(pacer.budget(0, undefined), Infinity);
  assert.equal(pacer.nextTime(0, undefined, 1_000_000), undefined);
  assert.equal(pacer.budget(0, 10), 10 * MTU);
});

test("a late timer costs no rate; a pause earns no more than the bucket", () => {
  const late = new Pacer(MTU);
  drain(late, 0, 12_000);
  assert.equal(drain(late, 4, 12_000).packets, 40);
  const paused = new Pacer(MTU);
  for (let i = 0; i < 10; i++) paused.onSent(MTU, 0);
  assert.equal(drain(paused, 4, 12_000).packets, 20);
  const veryLate = new Pacer(MTU);
  drain(veryLate, 0, 12_000);
  assert.equal(drain(veryLate, 1000, 12_000).packets, 200);
});

test("sending takes time: what a late timer found is not lost meanwhile, and a pause ends it", () => {
  const pacer = new Pacer(MTU);
  drain(pacer, 0, 12_000);
  let now = 6;
  let sent = 0;
  for (; pacer.budget(now, 12_000) >= MTU; now += 0.05) {
    pacer.onSent(MTU, now);
    sent += MTU;
  }
  assert.ok(sent > 12_000 * 6, `${sent} bytes`);
  assert.ok(sent <= 12_000 * now, `${sent} bytes after ${now} ms`);
  const paused = new Pacer(MTU);
  drain(paused, 0, 12_000);
  assert.equal(paused.budget(20, 12_000), 240_000);
  paused.onSent(MTU, 20);
  for (const now of [20.7, 21.4]) assert.equal(paused.budget(now, 12_000), 240_000 - MTU);
  assert.equal(paused.budget(22.1, 12_000), 24_000, "looks alone do not keep it");
});

test("packets that go without asking make a debt of at most one bucket", () => {
  const pacer = new Pacer(MTU);
  for (let i = 0; i < 100; i++) pacer.onSent(MTU, 0);
  assert.equal(pacer.budget(0, 1200), -10 * MTU);
  assert.equal(pacer.budget(3, 1200), -10 * MTU + 3600, "a pause pays no debt by itself");
  pacer.onSent(3600, 3);
  assert.equal(pacer.nextTime(3, 1200, MTU), 14);
});

test("a packet larger than the bucket waits for a full one, not for ever", () => {
  const pacer = new Pacer(100);
  drainAll(pacer);
  assert.equal(pacer.nextTime(0, 10, 5000), 100);
  assert.equal(pacer.nextTime(100, 10, 5000), undefined);
});

function drainAll(pacer: Pacer): void {
  while (pacer.budget(0, 10) > 0) pacer.onSent(100, 0);
}

test("a clock that steps back changes nothing", () => {
  const pacer = new Pacer(MTU);
  drain(pacer, 100, 1200);
  assert.equal(pacer.budget(50, 1200), 0);
  assert.equal(pacer.budget(101, 1200), 1200);
});

test("over any time a busy sender gets its rate, and never more than a bucket above it", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 10, max: 50_000 }),
      fc.array(fc.double({ min: 0, max: 3, noNaN: true }), { minLength: 20, maxLength: 60 }),
      (rate, lateness) => {
        const pacer = new Pacer(MTU);
        let now = 0;
        let sent = 0;
        for (const late of lateness) {
          const { packets, wakeMs } = drain(pacer, now, rate);
          sent += packets * MTU;
          assert.ok(wakeMs >= now + 1);
          const earned = Math.max(10 * MTU, 2 * rate) + rate * now;
          assert.ok(sent <= earned + MTU, `${sent} bytes of ${earned} after ${now} ms`);
          assert.ok(sent >= rate * now - MTU, `${sent} bytes of ${rate * now} after ${now} ms`);
          now = wakeMs + late;
        }
      },
    ),
    { numRuns: 50 },
  );
});
