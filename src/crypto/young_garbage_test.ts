import assert from "node:assert/strict";
import { test } from "node:test";
import { YoungGarbage } from "./young_garbage.ts";

test("large arrays bring garbage of half their size, small ones none", () => {
  const garbage = new YoungGarbage(true);
  garbage.bring(1200);
  assert.equal(garbage.slots, 0);
  garbage.bring(16_384);
  assert.equal(garbage.slots, 1024);
  garbage.bring(60_000);
  assert.equal(garbage.slots, 3750);
});

test("no garbage where it is not wanted", () => {
  const garbage = new YoungGarbage(false);
  garbage.bring(16_384);
  assert.equal(garbage.slots, 0);
});
