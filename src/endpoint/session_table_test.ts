import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ExpiringIds } from "./expiring_ids.ts";
import { sessionIdWord, SessionTable } from "./session_table.ts";

const id = fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 }));

test("a session table is a map by both halves of an id", () => {
  fc.assert(fc.property(fc.array(fc.tuple(id, fc.boolean(), fc.nat())), (steps) => {
    const table = new SessionTable<number>();
    const model = new Map<string, number>();
    for (const [[high, low], add, value] of steps) {
      const key = `${high},${low}`;
      if (add) {
        table.set(high, low, value);
        model.set(key, value);
      } else {
        assert.equal(table.delete(high, low), model.delete(key));
      }
      assert.equal(table.get(high, low), model.get(key));
      assert.equal(table.size, model.size);
      assert.deepEqual([...table.values()].sort(), [...model.values()].sort());
    }
  }));
});

test("the halves are those of a frame header", () => {
  const bytes = Uint8Array.of(9, 0xff, 0, 0, 1, 0, 0, 0, 2).subarray(1);
  assert.deepEqual([sessionIdWord(bytes, 0), sessionIdWord(bytes, 4)], [0xff000001, 2]);
});

test("ids expire in their time, oldest first", () => {
  const ids = new ExpiringIds<string>(100);
  ids.add(1, 1, "a", 0);
  ids.add(1, 2, "b", 50);
  ids.add(1, 1, "c", 60);
  assert.deepEqual([ids.get(1, 1, 159), ids.get(1, 2, 149), ids.get(1, 2, 150)], [
    "c",
    "b",
    undefined,
  ]);
  ids.expire(150);
  assert.equal(ids.size, 1);
  assert.equal(ids.delete(1, 1), "c");
  assert.equal(ids.delete(1, 1), undefined);
});
