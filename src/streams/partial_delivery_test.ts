import assert from "node:assert/strict";
import { test } from "node:test";
import { joined, pattern, settle } from "./stream_pipe_test.ts";
import { StreamChunk } from "./types.ts";

const LARGE = { maxData: 1e6, maxStreamData: 1e6, maxStreams: 4 };

test("segments of 16 KiB are read whole, the last one shorter", () => {
  const { a, b } = joined({ local: LARGE });
  a.set.open(2);
  const bytes = pattern(40_000);
  a.set.write(1, bytes);
  a.set.finish(1);
  settle(a, b);
  for (const [from, to] of [[0, 16_384], [16_384, 32_768], [32_768, 40_000]] as const) {
    assert.deepEqual(b.set.readSegment(1), { offset: from, data: bytes.slice(from, to) });
  }
  assert.equal(b.set.readSegment(1), null);
});

test("a segment given up is a gap for the reader; the gap is told until acknowledged", () => {
  const { a, b } = joined({ local: LARGE, reliable: false });
  a.set.open(2);
  a.set.write(1, pattern(40_000));
  a.set.finish(1);
  const chunk = new StreamChunk();
  while (a.set.nextData(1200, chunk)) {
    const data = Uint8Array.from(chunk.parts.flatMap((part) => [...part]));
    if (chunk.offset >= 16_384 && chunk.offset < 32_768) {
      a.set.onLost(chunk.ref());
      a.set.giveUpSegment(1, chunk.offset);
    } else {
      b.set.onData(1, chunk.flags, 2, chunk.offset, data, 0);
      a.set.onAcked(chunk.ref());
    }
  }
  assert.equal(a.set.hasData(), false, "nothing of the segment is sent again");
  assert.equal(a.set.isIdle(), false);
  const lost = a.set.nextControl(100, 0)!;
  assert.equal(lost.type, "streamGap");
  a.set.onControlLost(lost);
  for (let record = a.set.nextControl(100, 0); record; record = a.set.nextControl(100, 0)) {
    assert.equal(record.type, "streamGap");
    if (record.type === "streamGap") b.set.onGap(1, record.offset, record.length);
    a.set.onControlAcked(record);
  }
  assert.equal(a.set.isIdle(), true);
  let offset = 0;
  let missing = 0;
  for (let item = b.set.readSegment(1); item; item = b.set.readSegment(1)) {
    assert.equal(item.offset, offset);
    if (item.gap !== undefined) {
      offset += item.gap;
      missing += item.gap;
    } else {
      assert.deepEqual(item.data, pattern(40_000).slice(offset, offset + item.data.length));
      offset += item.data.length;
    }
  }
  assert.equal(offset, 40_000);
  assert.ok(missing > 14_000 && missing < 17_600, `${missing}`);
  assert.equal(b.set.info(1)?.recvState, "ended");
});

test("a gap may come before the first data, and kind 6 is read as kind 2 is", () => {
  const { b } = joined({ local: LARGE });
  b.set.onGap(1, 0, 16_384);
  assert.deepEqual(b.drain(), []);
  b.set.onData(1, 0x04, 6, 16_384, pattern(10), 0);
  assert.deepEqual(b.drain(), [
    { type: "opened", id: 1, kind: 6 },
    { type: "readable", id: 1 },
  ]);
  assert.deepEqual(b.set.readSegment(1), { offset: 0, gap: 16_384 });
  assert.deepEqual(b.set.readSegment(1), { offset: 16_384, data: pattern(10) });
  assert.equal(b.set.readSegment(1), null);
});

test("gaps count for credit and return it when read", () => {
  const local = { maxData: 60_000, maxStreamData: 40_000, maxStreams: 4 };
  const { b } = joined({ local });
  b.set.onData(1, 0, 2, 0, pattern(1), 0);
  b.set.onGap(1, 1, 39_999);
  assert.equal(b.set.stats().bytesReceived, 40_000);
  assert.throws(() => b.set.onGap(1, 40_000, 1), { code: "FLOW_CONTROL" });
  assert.deepEqual(b.set.readSegment(1), { offset: 0, data: pattern(1) });
  assert.deepEqual(b.set.readSegment(1), { offset: 1, gap: 39_999 });
  assert.deepEqual(b.set.nextControl(100, 0), { type: "flowCredit", stream: 0, limit: 100_000 });
  assert.deepEqual(b.set.nextControl(100, 0), { type: "flowCredit", stream: 1, limit: 80_000 });
});
