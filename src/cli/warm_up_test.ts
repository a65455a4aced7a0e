import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { MemorySession, warmUp } from "./warm_up.ts";

test("a session in memory moves its bytes in steps of any length", () => {
  const whole = new MemorySession(1_048_576);
  assert.equal(whole.step(() => false), true);
  const stepped = new MemorySession(1_048_576);
  let steps = 1;
  while (!stepped.step(() => true)) steps++;
  assert.ok(steps > 10, `${steps} steps`);
});

test("warming up goes on by itself, and not after it was ended", async () => {
  let nowMs = 0;
  let looks = 0;
  const failures: unknown[] = [];
  // Each look is a step of its own.
  const now = (): number => {
    looks++;
    return nowMs += 10;
  };
  const end = warmUp(now, 1_048_576, 0, (error) => failures.push(error));
  while (looks < 20) await setTimeout(1);
  end();
  const seen = looks;
  for (let turn = 0; turn < 10; turn++) await setTimeout(1);
  assert.equal(looks, seen);
  warmUp(now, 65_536, 60_000, (error) => failures.push(error))();
  assert.deepEqual(failures, []);
});

test("warming up says what is wrong with the runtime", async () => {
  const failure = new Error("no clock");
  const told = await new Promise((resolve) => {
    warmUp(
      () => {
        throw failure;
      },
      65_536,
      0,
      resolve,
    );
  });
  assert.equal(told, failure);
});
