import { test } from "node:test";
import assert from "node:assert/strict";
import { AnswerPoll } from "./answer_poll.ts";

/** A poll whose turns of the event loop are taken by hand, 10 µs each. */
function polled(enabled = true) {
  const turns: (() => void)[] = [];
  let nowMs = 1000;
  const poll = new AnswerPoll(() => nowMs, (run) => void turns.push(run), enabled);
  return {
    poll,
    /** A question whose answer comes `afterMs` later; returns the turns that were taken meanwhile. */
    exchange(afterMs: number, question = 100, answer = 100): number {
      poll.asked(question);
      const until = nowMs + afterMs;
      let taken = 0;
      for (; nowMs < until; nowMs += 0.01) {
        const turn = turns.shift();
        if (turn === undefined) continue;
        taken++;
        turn();
      }
      poll.answered(answer);
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
