import assert from "node:assert/strict";
import { test } from "node:test";
import { SttError } from "../errors.ts";
import { Outcome } from "./outcome.ts";

const failure = new SttError("CLOSED", "over");

test("the first word counts, whether somebody asked before it or asks after it", async () => {
  for (const askFirst of [true, false]) {
    const good = new Outcome();
    const early = askFirst ? good.promise : undefined;
    good.done();
    good.fail(failure);
    assert.equal(await good.promise, undefined);
    if (early !== undefined) assert.equal(early, good.promise);

    const bad = new Outcome();
    if (askFirst) void bad.promise;
    bad.fail(failure);
    bad.done();
    await assert.rejects(bad.promise, failure);
  }
});
