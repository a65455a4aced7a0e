import assert from "node:assert/strict";
import { test } from "node:test";
import { LOOP_SHARE_MS } from "./limits.ts";
import { LoopShare } from "./loop_share.ts";

/** A share whose time and turns are the test's. */
class Loop {
  nowMs = 0;
  /** Which turns were asked for with a rest before them. */
  readonly rests: boolean[] = [];
  readonly #turns: (() => void)[] = [];
  readonly share: LoopShare = new LoopShare(
    () => this.nowMs,
    (turn, rest) => {
      this.#turns.push(turn);
      this.rests.push(rest);
    },
  );

  /** The next turn; false when nobody asked for one. */
  turn(): boolean {
    const due = this.#turns.splice(0);
    for (const turn of due) turn();
    return due.length > 0;
  }

  /** Work that takes a quarter of the share. */
  work(done: string[], name: string): () => void {
    return () => {
      this.nowMs += LOOP_SHARE_MS / 4;
      done.push(name);
    };
  }
}

test("a turn's share is spent by time, and the next turn has a new one", () => {
  const { share } = new Loop();
  assert.equal(share.spent, false);
  const loop = new Loop();
  assert.equal(loop.share.spent, false);
  loop.nowMs += LOOP_SHARE_MS - 1;
  assert.equal(loop.share.spent, false);
  loop.nowMs += 1;
  assert.equal(loop.share.spent, true);
  assert.ok(loop.turn());
  assert.equal(loop.share.spent, false);
});

test("what waits is done in its order, a share's worth in each turn", () => {
  const loop = new Loop();
  const done: string[] = [];
  for (const name of "abcdefghij") loop.share.later(loop.work(done, name));
  const perTurn: number[] = [];
  while (done.length < 10) {
    const before = done.length;
    assert.ok(loop.turn());
    perTurn.push(done.length - before);
  }
  assert.equal(done.join(""), "abcdefghij");
  assert.deepEqual(perTurn, [4, 4, 2]);
  loop.turn();
  assert.equal(loop.turn(), false, "with nothing waiting no turn is asked for");
});

test("nobody overtakes what waits", () => {
  const loop = new Loop();
  assert.equal(loop.share.spent, false);
  loop.share.later(() => undefined);
  assert.equal(loop.share.spent, true);
  loop.turn();
  assert.equal(loop.share.spent, false);
});

test("work that waits already does not wait twice", () => {
  const loop = new Loop();
  let times = 0;
  const work = (): void => void times++;
  loop.share.later(work);
  loop.share.later(work);
  loop.turn();
  loop.turn();
  assert.equal(times, 1);
});

test("work that asks for more work leaves it to the next turn", () => {
  const loop = new Loop();
  const done: string[] = [];
  loop.share.later(() => {
    done.push("first");
    loop.share.later(() => void done.push("second"));
  });
  loop.turn();
  assert.deepEqual(done, ["first"]);
  loop.turn();
  assert.deepEqual(done, ["first", "second"]);
});

test("what arrives and the turn that follows it have one share together", () => {
  const loop = new Loop();
  const done: string[] = [];
  for (const used of [LOOP_SHARE_MS, LOOP_SHARE_MS / 2]) {
    assert.equal(loop.share.spent, false);
    loop.nowMs += used;
    for (const name of "abcd") loop.share.later(loop.work(done, name));
    loop.turn();
    assert.equal(done.join(""), used === LOOP_SHARE_MS ? "" : "ab");
    while (loop.turn());
    assert.equal(done.splice(0).join(""), "abcd");
  }
});

test("after four shares of busy turns there is a rest, and an idle turn starts the count again", () => {
  const loop = new Loop();
  let left = 12;
  const work = (): void => {
    loop.nowMs += LOOP_SHARE_MS;
    if (--left > 0) loop.share.later(work);
  };
  loop.share.later(work);
  while (loop.turn());
  const rested = loop.rests.flatMap((rest, turn) => rest ? [turn] : []);
  assert.deepEqual([rested, loop.rests.length], [[4, 8, 12], 13]);
  loop.rests.length = 0;
  loop.share.later(() => undefined);
  assert.deepEqual(loop.rests, [false]);
});
