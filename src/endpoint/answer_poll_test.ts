import { test } from "node:test";
import assert from "node:assert/strict";
import type { Connection } from "../connection/connection.ts";
import type { TransportConnection, TransportSink } from "../transport/transport.ts";
import { AnswerPoll } from "./answer_poll.ts";
import { Driver } from "./driver.ts";

/** A poll whose turns of the event loop are taken by hand, 10 µs each. */
function polled(enabled = true) {
  const turns: (() => void)[] = [];
  let nowMs = 1000;
  const poll = new AnswerPoll(() => nowMs, (run) => void turns.push(run), enabled);
  return {
    poll,
    /** A question whose answer comes `afterMs` later; returns the turns that were taken meanwhile. */
    exchange(afterMs: number, question = 100, answer: number | "none" = 100): number {
      poll.asked(question);
      const until = nowMs + afterMs;
      let taken = 0;
      for (; nowMs < until; nowMs += 0.01) {
        const turn = turns.shift();
        if (turn === undefined) continue;
        taken++;
        turn();
      }
      if (answer !== "none") poll.answered(answer);
      return taken;
    },
  };
}

test("the loop turns for an answer once four in a row were quick, and for no longer than they take", () => {
  const { exchange } = polled();
  for (let count = 0; count < 4; count++) assert.equal(exchange(0.1), 0);
  const taken = exchange(0.1);
  assert.ok(taken >= 9 && taken <= 11, `${taken} turns`);
});

test("an answer that does not come in time costs 0.3 ms, and the next four are slept for", () => {
  const { exchange } = polled();
  for (let count = 0; count < 6; count++) exchange(0.1);
  const taken = exchange(50);
  assert.ok(taken >= 29 && taken <= 33, `${taken} turns`);
  for (let count = 0; count < 4; count++) assert.equal(exchange(0.1), 0);
  assert.ok(exchange(0.1) > 0);
});

test("bulk, either way, is no conversation", () => {
  const { exchange } = polled();
  for (let count = 0; count < 9; count++) assert.equal(exchange(0.1, 20_000, 100), 0);
  for (let count = 0; count < 9; count++) assert.equal(exchange(0.1, 100, 20_000), 0);
});

test("one loop turns at a time, and none with a single processor", () => {
  const { poll, exchange } = polled();
  for (let count = 0; count < 4; count++) exchange(0.1);
  poll.asked(1);
  const taken = exchange(0.1);
  assert.ok(taken >= 9 && taken <= 11, `${taken} turns`);
  const alone = polled(false);
  for (let count = 0; count < 9; count++) assert.equal(alone.exchange(0.1), 0);
});

test("a peer that answers at the last moment, for ever, gets half of the time and no more", () => {
  const { exchange } = polled();
  let taken = 0;
  for (let count = 0; count < 1000; count++) taken += exchange(0.29);
  assert.ok(taken > 14_000 && taken < 16_000, `${taken} turns of 29000`);
});

test("questions without answers cost no more than was saved up", () => {
  const { exchange } = polled();
  for (let count = 0; count < 100; count++) exchange(0.1);
  // No answer is reported: each question follows the one before it within its time.
  let taken = 0;
  for (let count = 0; count < 1000; count++) taken += exchange(0.2, 100, "none");
  assert.ok(taken > 0 && taken <= 150, `${taken} turns`);
});

test("the option answerPoll says whether a session does it at all", () => {
  for (const answerPoll of [true, false]) {
    const turns: (() => void)[] = [];
    let sink: TransportSink | undefined;
    const transport = {
      framing: "datagram",
      mayTurn: true,
      start: (its: TransportSink) => void (sink = its),
      send: () => true,
      afterTurn: (run: () => void) => void turns.push(run),
    };
    // Sends a datagram that is to be acknowledged after each that comes.
    let frames = 1;
    const connection = {
      readPaused: false,
      awaitsAcknowledgement: true,
      transmit: () => frames-- > 0 ? new Uint8Array(100) : undefined,
      receive: () => void (frames = 1),
      endOfBatch: () => undefined,
      recycle: () => undefined,
      nextEvent: () => undefined,
      nextTimeout: () => undefined,
    };
    const driver = new Driver(
      connection as unknown as Connection,
      transport as unknown as TransportConnection,
      { now: () => 0, unix: () => 0 },
      () => undefined,
      answerPoll,
    );
    driver.start();
    for (let answer = 0; answer < 6; answer++) {
      sink?.data(new Uint8Array(100));
      sink?.batchEnd?.();
    }
    assert.equal(turns.length > 0, answerPoll);
  }
});
