import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { BoundedQueue } from "./bounded_queue.ts";

test("a full queue forgets its oldest entry, as an array that is cut would", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.array(fc.boolean()), (capacity, pushes) => {
      const queue = new BoundedQueue<number>(capacity);
      const model: number[] = [];
      let dropped = 0;
      for (const [value, push] of pushes.entries()) {
        if (push) {
          model.push(value);
          const full = model.length > capacity;
          if (full) {
            model.shift();
            dropped++;
          }
          assert.equal(queue.push(value), !full);
        } else {
          assert.equal(queue.peek(), model[0]);
          assert.equal(queue.shift(), model.shift());
        }
        assert.equal(queue.size, model.length);
        assert.equal(queue.dropped, dropped);
      }
      queue.clear();
      assert.equal(queue.shift(), undefined);
      assert.ok(queue.push(1));
    }),
  );
});
