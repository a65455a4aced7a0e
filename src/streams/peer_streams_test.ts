import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_STREAM_COUNT, PeerStreams } from "./peer_streams.ts";

test("ids are 32 bits wide: no more streams than 2^31-1 are ever promised", () => {
  assert.equal(MAX_STREAM_COUNT, 2_147_483_647);
  const streams = new PeerStreams(2 ** 31 + 5);
  assert.equal(streams.advertised, 2_147_483_647);
  streams.close();
  assert.equal(streams.limitDue, false);
  assert.throws(() => streams.name(2_147_483_647), { code: "STREAM_LIMIT", limit: 2_147_483_647 });
  assert.equal(streams.name(2_147_483_646), true);
  assert.equal(streams.opened, 2_147_483_647);
});

test("each id opens once, in any order, and the lower ones with it", () => {
  const streams = new PeerStreams(4);
  assert.equal(streams.name(2), true);
  assert.equal(streams.opened, 3);
  assert.deepEqual([streams.name(0), streams.name(1)], [true, true]);
  assert.deepEqual([streams.name(0), streams.name(1), streams.name(2)], [false, false, false]);
  assert.throws(() => streams.name(4), { code: "STREAM_LIMIT" });
  assert.equal(streams.name(3), true);
});

test("a stream that closes makes room for one more, which is told", () => {
  const streams = new PeerStreams(1);
  streams.name(0);
  assert.equal(streams.limitDue, false);
  streams.close();
  assert.equal(streams.limitDue, true);
  assert.equal(streams.advertised, 1);
  assert.equal(streams.takeLimit(), 2);
  assert.equal(streams.limitDue, false);
  assert.equal(streams.name(1), true);
});
