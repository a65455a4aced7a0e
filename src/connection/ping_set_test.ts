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
    { ping: numbers[0], rttMs: 50 },
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

test("an overdue ping is repeated, later each time, until an answer comes", () => {
  const pings = new PingSet();
  assert.equal(pings.retryAt(100), undefined);
  const asked = pings.request(token(1));
  assert.equal(pings.retryAt(100), undefined);
  pings.take(0);
  let now = 0;
  for (const wait of [200, 400, 800, 1600, 3200, 6400, 6400]) {
    assert.equal(pings.retryAt(100), now + wait);
    now += wait;
    pings.retry(token(2));
    assert.equal(pings.retryAt(100), undefined);
    assert.deepEqual(pings.take(now), token(2));
  }
  const answers = pings.answer(token(2), now + 30);
  assert.equal(answers[0]?.ping, asked);
  pings.request(token(3));
  pings.take(now);
  assert.equal(pings.retryAt(100), now + 200);
});

test("a repetition needs no room: it takes the place of the youngest ping", () => {
  const pings = new PingSet();
  const numbers: number[] = [];
  for (let i = 0; i < 64; i++) {
    numbers.push(pings.request(token(i)));
    pings.take(0);
  }
  const late = pings.request(token(100));
  assert.equal(pings.retryAt(10), 20);
  pings.retry(token(101));
  assert.deepEqual(pings.take(20), token(101));
  assert.equal(pings.take(20), undefined);
  assert.deepEqual(pings.answer(token(63), 25), []);
  const answers = pings.answer(token(101), 25);
  assert.deepEqual(answers, numbers.map((ping) => ({ ping, rttMs: 5 })));
  assert.deepEqual(pings.take(26), token(100));
  assert.deepEqual(pings.answer(token(100), 27), [{ ping: late, rttMs: 1 }]);
});
