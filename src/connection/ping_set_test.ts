import { test } from "node:test";
import assert from "node:assert/strict";
import { PingSet } from "./ping_set.ts";

function token(fill: number): Uint8Array {
  return new Uint8Array(8).fill(fill);
}

test("a ping that waits serves everybody; a sent one does not", () => {
  const pings = new PingSet();
  assert.equal(pings.pending, false);
  const first = pings.request(token(1));
  assert.equal(pings.request(token(2)), first);
  assert.equal(pings.pending, true);
  assert.deepEqual(pings.take(10), token(1));
  assert.equal(pings.take(10), undefined);
  assert.notEqual(pings.request(token(3)), first);
});

test("an answer counts once and answers what was sent before it", () => {
  const pings = new PingSet();
  const numbers = [1, 2, 3].map((fill) => {
    const number = pings.request(token(fill));
    pings.take(fill);
    return number;
  });
  assert.deepEqual(pings.answer(token(9), 50), []);
  assert.deepEqual(pings.answer(token(2), 52), [
    { ping: numbers[0], rttMs: 51 },
    { ping: numbers[1], rttMs: 50 },
  ]);
  assert.deepEqual(pings.answer(token(2), 60), []);
  assert.deepEqual(pings.answer(token(3), 43), [{ ping: numbers[2], rttMs: 40 }]);
  assert.deepEqual(pings.rtt(), {
    latest: 40,
    smoothed: 50 * 0.875 + 40 * 0.125,
    min: 40,
    max: 50,
    samples: 2,
  });
});

test("64 are on their way at most; the next one goes when one is answered", () => {
  const pings = new PingSet();
  for (let i = 0; i < 64; i++) {
    pings.request(token(i));
    pings.take(0);
  }
  pings.request(token(100));
  assert.equal(pings.pending, false);
  assert.equal(pings.take(0), undefined);
  pings.answer(token(0), 1);
  assert.equal(pings.pending, true);
  assert.deepEqual(pings.take(0), token(100));
});
