import assert from "node:assert/strict";
import { test } from "node:test";
import { ReceiveCredit, SendCredit } from "./flow_control.ts";

test("credit returns when half of the window was read", () => {
  const credit = new ReceiveCredit(1000, 8000);
  assert.equal(credit.limit, 1000);
  credit.consume(499);
  assert.equal(credit.updateDue, false);
  credit.consume(1);
  assert.equal(credit.updateDue, true);
  assert.equal(credit.update(0, undefined), 1500);
  assert.equal(credit.updateDue, false);
});

test("two updates within two round trips double the window, up to the cap", () => {
  const credit = new ReceiveCredit(1000, 3000);
  credit.consume(500);
  assert.equal(credit.update(0, 10), 1500);
  credit.consume(500);
  assert.equal(credit.update(19, 10), 3000);
  assert.equal(credit.window, 2000);
  credit.consume(1000);
  assert.equal(credit.update(39, 10), 4000, "exactly two round trips are not within");
  credit.consume(1000);
  assert.equal(credit.update(40, 10), 6000);
  assert.equal(credit.window, 3000, "the cap");
});

test("without a round-trip time, or with a slow reader, the window stays", () => {
  const credit = new ReceiveCredit(1000, 8000);
  for (let round = 1; round < 20; round++) {
    credit.consume(500);
    assert.equal(credit.update(round, undefined), 1000 + 500 * round);
  }
  const slow = new ReceiveCredit(1000, 8000);
  for (let round = 1; round < 20; round++) {
    slow.consume(500);
    slow.update(round * 1000, 10);
  }
  assert.equal(slow.window, 1000);
});

test("a window follows what arrives while the reader waits for a hole, ahead of it and up to the cap", () => {
  const credit = new ReceiveCredit(1000, 8000);
  const arrive = (bytes: number, nowMs: number, rttMs: number | undefined = 10): void => {
    credit.arrived += bytes;
    credit.follow(nowMs, rttMs);
  };
  arrive(100, 0);
  arrive(100, 5);
  assert.equal(credit.window, 1000, "four times 200 bytes per round trip are still ahead");
  assert.equal(credit.updateDue, false);
  arrive(100, 9);
  assert.equal(credit.window, 2000, "700 bytes are ahead, 1200 may be needed");
  assert.equal(credit.updateDue, true, "without any reading");
  assert.equal(credit.update(9, 10), 2000);
  arrive(100, 15);
  assert.equal(credit.window, 2000, "1600 bytes are ahead of 300 per round trip");
  for (let nowMs = 20; nowMs < 100; nowMs += 10) arrive(900, nowMs);
  assert.equal(credit.window, 8000, "the cap");
});

test("arrivals alone move no window without a round-trip time, below a burst, or when they are slow", () => {
  const timeless = new ReceiveCredit(1000, 8000);
  timeless.arrived = 900;
  timeless.follow(0, undefined);
  for (let frame = 0; frame < 9; frame++) timeless.follow(0, 0);
  assert.equal(timeless.window, 1000);
  const short = new ReceiveCredit(1000, 8000, 100);
  short.burst = 100;
  short.arrived = 100;
  short.follow(0, 10);
  assert.equal(short.window, 1000, "the receive buffer holds the sender back, not the window");
  const slow = new ReceiveCredit(1000, 8000);
  for (let nowMs = 0; nowMs < 500; nowMs += 100) {
    slow.arrived += 100;
    slow.follow(nowMs, 10);
  }
  assert.equal(slow.window, 1000);
});

test("a window above the cap is the cap; a window of zero never asks for an update", () => {
  const large = new ReceiveCredit(9000, 8000);
  large.consume(9000);
  assert.equal(large.update(0, 1), 18_000);
  assert.equal(new ReceiveCredit(0, 0).updateDue, false);
});

test("a burst bounds what is on its way, whatever the window", () => {
  const credit = new ReceiveCredit(1000, 8000, 100);
  credit.burst = 100;
  assert.equal(credit.limit, 100, "what the peer was told");
  credit.arrived = 49;
  assert.equal(credit.updateDue, false);
  credit.arrived = 50;
  assert.equal(credit.updateDue, true, "half of it arrived, and nothing was read");
  assert.equal(credit.update(0, 10), 150);
  credit.arrived = 150;
  assert.equal(credit.update(1, 10), 250);
  assert.equal(credit.window, 1000, "only a window that holds the sender back grows");
  credit.arrived = 970;
  assert.equal(credit.update(2, 10), 1000, "nothing was read: the window bounds the memory");
  credit.arrived = 1000;
  assert.equal(credit.updateDue, false);
  credit.consume(1000);
  credit.burst = Infinity;
  assert.equal(credit.updateDue, true);
  assert.equal(credit.update(100, 10), 2000);
  credit.burst = 100;
  assert.equal(credit.update(200, 10), 2000, "what was given stays given");
});

test("limits of the peer never shrink, and BLOCKED is due once per limit", () => {
  const credit = new SendCredit(10);
  credit.use(10);
  assert.equal(credit.available, 0);
  assert.equal(credit.noteBlocked(), true);
  assert.equal(credit.noteBlocked(), false);
  assert.equal(credit.raise(9), false);
  assert.equal(credit.raise(10), false);
  assert.equal(credit.raise(15), true);
  assert.equal(credit.available, 5);
  assert.equal(credit.noteBlocked(), true);
});

test("an update that nothing was read for does not start the clock of growth", () => {
  const credit = new ReceiveCredit(1000, 8000);
  assert.equal(credit.update(0, 10), 1000);
  credit.consume(500);
  assert.equal(credit.update(1, 10), 1500);
  assert.equal(credit.window, 1000);
  const little = new ReceiveCredit(1000, 8000);
  little.consume(499);
  assert.equal(little.update(0, 10), 1499);
  little.consume(500);
  assert.equal(little.update(1, 10), 1999);
  assert.equal(little.window, 1000);
});

test("a window that the burst holds back does not grow, however fast it is read", () => {
  const credit = new ReceiveCredit(1000, 8000, 100);
  credit.burst = 100;
  for (let round = 1; round <= 10; round++) {
    credit.arrived = 500 * round;
    credit.consume(500);
    credit.update(round, 10);
  }
  assert.equal(credit.window, 1000);
});

test("a round trip is over when it is as old as one, and the largest of it counts", () => {
  const whole = new ReceiveCredit(2400, 9000);
  const arrive = (credit: ReceiveCredit, bytes: number, nowMs: number): number => {
    credit.arrived += bytes;
    credit.follow(nowMs, 10);
    return credit.window;
  };
  arrive(whole, 300, 0);
  arrive(whole, 200, 5);
  assert.equal(arrive(whole, 10, 10), 2400);
  // 400 bytes within the round trip that began at 10: 1490 ahead are less than four times as much.
  assert.equal(arrive(whole, 400, 19), 4800);

  const peak = new ReceiveCredit(5900, 20_000);
  arrive(peak, 100, 0);
  arrive(peak, 800, 10);
  assert.equal(arrive(peak, 1000, 20), 5900, "4000 are ahead of 1000 per round trip");
  assert.equal(arrive(peak, 10, 21), 11_800, "1000 were the most: what came since is no less");
});

test("exactly four round trips ahead are enough, and a burst that ends where the window does holds nothing back", () => {
  const exact = new ReceiveCredit(1000, 8000);
  exact.follow(0, 10);
  exact.arrived = 200;
  exact.follow(5, 10);
  assert.equal(exact.window, 1000, "800 are ahead of 200");
  exact.arrived = 201;
  exact.follow(6, 10);
  assert.equal(exact.window, 2000);
  const near = new ReceiveCredit(1000, 8000);
  near.follow(0, 1);
  near.arrived = 900;
  near.follow(0.5, 1);
  assert.equal(near.window, 2000, "a round trip of a millisecond is one");
  const burst = new ReceiveCredit(1000, 8000);
  burst.burst = 100;
  burst.follow(0, 10);
  burst.arrived = 900;
  burst.follow(5, 10);
  assert.equal(burst.window, 2000);
});

test("a window of one byte asks for an update", () => {
  const credit = new ReceiveCredit(1, 1);
  credit.consume(1);
  assert.equal(credit.updateDue, true);
});

test("a peer that stands at the limit gets a kibibyte, one that stands below waits for half of the window", () => {
  const credit = new ReceiveCredit(10_000, 80_000);
  credit.consume(1023);
  credit.ask(9999);
  credit.consume(1);
  assert.equal(credit.updateDue, false, "what was asked for was granted before");
  assert.equal(credit.update(0, undefined), 11_024);
  credit.consume(1023);
  credit.ask(11_024);
  assert.equal(credit.updateDue, false);
  credit.consume(1);
  assert.equal(credit.updateDue, true);
  assert.equal(credit.update(0, undefined), 12_048);
  credit.consume(1024);
  assert.equal(credit.updateDue, false, "an update answers what was asked");
});
