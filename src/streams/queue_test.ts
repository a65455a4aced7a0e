import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Queue } from "./queue.ts";

test("a queue agrees with an array, and queues that are empty share nothing that is seen", () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: -4, max: 99 }), { maxLength: 200 }), (steps) => {
    const queue = new Queue<number>();
    const other = new Queue<number>();
    const model: number[] = [];
    for (const step of steps) {
      if (step >= 0) {
        queue.push(step);
        model.push(step);
      } else if (step === -1) {
        assert.equal(queue.shift(), model.shift());
      } else if (step === -4) {
        queue.clear();
        model.length = 0;
      } else {
        const count = Math.min(-step, model.length);
        queue.drop(count);
        model.splice(0, count);
      }
      assert.equal(queue.length, model.length);
      assert.equal(queue.at(0), model[0]);
      assert.equal(queue.at(model.length), undefined);
      assert.equal(other.length, 0);
      assert.equal(other.shift(), undefined);
    }
  }));
});
