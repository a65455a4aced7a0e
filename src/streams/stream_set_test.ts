import assert from "node:assert/strict";
import { test } from "node:test";
import { joined, pattern, readAll, settle } from "./stream_pipe_test.ts";

test("bytes arrive in order, the end is seen, and both sides forget the stream", () => {
  const { a, b } = joined();
  const id = a.set.open(0);
  assert.equal(id, 1);
  const bytes = pattern(5000);
  assert.equal(a.set.write(1, bytes), true);
  a.set.finish(1);
  settle(a, b);
  assert.deepEqual(b.drain(), [{ type: "opened", id: 1, kind: 0 }, { type: "readable", id: 1 }]);
  assert.deepEqual(readAll(b, 1), { bytes, ended: true });
  assert.deepEqual(a.drain(), [{ type: "finished", id: 1 }]);
  b.set.write(1, pattern(3));
  b.set.finish(1);
  settle(a, b);
  assert.deepEqual(b.drain(), [{ type: "finished", id: 1 }, { type: "closed", id: 1 }]);
  assert.deepEqual(readAll(a, 1), { bytes: pattern(3), ended: true });
  assert.deepEqual(a.drain(), [{ type: "readable", id: 1 }, { type: "closed", id: 1 }]);
  assert.equal(a.set.has(1), false);
  assert.equal(b.set.has(1), false);
  assert.equal(a.set.isIdle() && b.set.isIdle(), true);
});

test("a stream opened without data reaches the peer, which may speak first", () => {
  const { a, b } = joined();
  a.set.open(4);
  settle(a, b);
  assert.deepEqual(b.drain(), [{ type: "opened", id: 1, kind: 4 }]);
  b.set.writeMessage(1, pattern(10));
  settle(a, b);
  assert.deepEqual(a.set.readMessage(1), pattern(10));
});
