import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameBuffers } from "./frame_buffers.ts";

test("datagrams: the buffer of the frame built last serves again, the longest is kept", () => {
  const buffers = new FrameBuffers(0, []);
  const long = buffers.take(1300);
  buffers.recycle(long.subarray(10, 1200), true);
  const short = buffers.take(60);
  assert.equal(short, long);
  const other = buffers.take(60);
  assert.notEqual(other.buffer, long.buffer);
  buffers.recycle(short, true);
  assert.equal(buffers.size, 0, "it was not built last: whoever has it may send it later");
  const last = buffers.take(50);
  buffers.recycle(last, true);
  assert.equal(buffers.take(1300).length, 1300);
  assert.equal(buffers.size, 1);
});

test("datagrams: arrays from elsewhere and frames that come back twice change nothing", () => {
  const buffers = new FrameBuffers(0, []);
  const buffer = buffers.take(100);
  buffers.recycle(new Uint8Array(100), true);
  buffers.recycle(buffer, true);
  assert.equal(buffers.size, 0);
  const again = buffers.take(100);
  buffers.recycle(again, true);
  buffers.recycle(again, true);
  assert.equal(buffers.size, 1);
});

test("datagrams: sessions share the buffer that no frame is in, and never have it at once", () => {
  const spare: Uint8Array[] = [];
  const one = new FrameBuffers(0, spare);
  const other = new FrameBuffers(0, spare);
  const buffer = one.take(1300);
  assert.notEqual(other.take(60).buffer, buffer.buffer);
  one.recycle(buffer, true);
  const again = other.take(60);
  assert.equal(again, buffer);
  assert.notEqual(one.take(60).buffer, buffer.buffer);
  one.recycle(buffer, true);
  assert.equal(one.size, 0, "the other session has it");
  other.recycle(again, true);
  assert.equal(one.size, 1);
});

test("full frames come back later and in any number; short ones are never kept", () => {
  const buffers = new FrameBuffers(1000);
  const taken = [1000, 900, 501].map((size) => buffers.take(size));
  assert.deepEqual(taken.map((buffer) => buffer.length), [1000, 1000, 1000]);
  assert.equal(buffers.take(500).length, 500);
  for (const buffer of taken) buffers.recycle(buffer.subarray(3, 600), true);
  buffers.recycle(new Uint8Array(500), true);
  buffers.recycle(taken[0]!, true);
  assert.equal(buffers.size, 3, "the same one twice would be two frames in one place");
  assert.equal(buffers.take(400).length, 400);
  assert.equal(buffers.take(1000).buffer, taken[2]!.buffer);
  assert.equal(buffers.size, 2);
});

test("a session that rests keeps one buffer, a busy one what a transport holds", () => {
  const buffers = new FrameBuffers(1000);
  const taken = Array.from({ length: 9 }, () => buffers.take(1000));
  for (const buffer of taken.slice(0, 8)) buffers.recycle(buffer, true);
  assert.equal(buffers.size, 5);
  buffers.recycle(taken[8]!, false);
  assert.equal(buffers.size, 1);
});
