import assert from "node:assert/strict";
import { test } from "node:test";
import { joined, LIMITS, pattern, readAll } from "./stream_pipe_test.ts";
import { type ChunkRef, StreamChunk } from "./types.ts";

const NONE = new Uint8Array(0);

function pair() {
  return joined({ reliable: false });
}

function sendAll(set: ReturnType<typeof pair>["a"]["set"], room: number): ChunkRef[] {
  const chunk = new StreamChunk();
  const refs: ChunkRef[] = [];
  while (set.nextData(room, chunk)) refs.push(chunk.ref());
  return refs;
}

test("only what was lost is sent again, and nothing that was acknowledged since", () => {
  const { a } = pair();
  a.set.open(0);
  a.set.write(1, pattern(1050));
  a.set.finish(1);
  const refs = sendAll(a.set, 103);
  assert.equal(refs.length, 11);
  for (const index of [2, 3, 7, 9]) a.set.onLost(refs[index]!);
  a.set.onAcked(refs[3]!);
  const again = sendAll(a.set, 1000);
  assert.deepEqual(again.map((ref) => [ref.offset, ref.length, ref.fin]), [
    [refs[2]!.offset, refs[2]!.length, false],
    [refs[7]!.offset, refs[7]!.length, false],
    [refs[9]!.offset, refs[9]!.length, false],
  ]);
  assert.equal(a.set.stats().bytesSent, 1050);
  for (const ref of [...refs, ...again]) a.set.onAcked(ref);
  assert.equal(a.set.bufferedBytes(1), 0);
  assert.deepEqual(a.drain(), [{ type: "finished", id: 1 }]);
});

test("retransmissions need no credit and go before new data of any priority", () => {
  const { a } = pair();
  a.set.open(0, 0);
  a.set.write(1, pattern(20_000));
  const refs = sendAll(a.set, 1000);
  a.set.onLost(refs[0]!);
  a.set.open(0, 1000);
  a.set.write(3, pattern(100));
  const next = sendAll(a.set, 1000);
  assert.deepEqual([next[0]!.streamId, next[0]!.offset], [1, 0]);
  assert.deepEqual([next[1]!.streamId, next[1]!.offset], [3, 0]);
});

test("a lost end, a lost announcement, and an end lost after it was acknowledged", () => {
  const { a } = pair();
  a.set.open(0);
  const [init] = sendAll(a.set, 100);
  assert.deepEqual(init, { streamId: 1, offset: 0, length: 0, fin: false });
  a.set.onLost(init!);
  const chunk = new StreamChunk();
  assert.equal(a.set.nextData(100, chunk), true);
  assert.equal(chunk.flags, 0x02);
  a.set.write(1, pattern(5));
  const [data] = sendAll(a.set, 100);
  a.set.onLost(init!);
  assert.equal(a.set.hasData(), false, "the data announces it as well");
  a.set.finish(1);
  const [end] = sendAll(a.set, 100);
  assert.deepEqual(end, { streamId: 1, offset: 5, length: 0, fin: true });
  a.set.onLost(end!);
  a.set.onLost(data!);
  const again = sendAll(a.set, 100);
  assert.deepEqual(again, [{ streamId: 1, offset: 0, length: 5, fin: true }], "both in one frame");
  a.set.onAcked(again[0]!);
  a.set.onLost(end!);
  assert.equal(a.set.hasData(), false);
  assert.equal(a.drain().at(-1)?.type, "finished");
});

test("a lost reset is sent until acknowledged, and reports on its data no longer matter", () => {
  const { a } = pair();
  a.set.open(0);
  a.set.write(1, pattern(500));
  const refs = sendAll(a.set, 100);
  a.set.reset(1, 9);
  for (const ref of refs) a.set.onLost(ref);
  assert.equal(a.set.hasData(), false);
  const expected = { type: "streamReset", stream: 1, code: 9, finalSize: 500 };
  for (let round = 0; round < 3; round++) {
    const record = a.set.nextControl(100, 0)!;
    assert.deepEqual(record, expected);
    assert.equal(a.set.hasControl(), false);
    assert.deepEqual(a.drain(), []);
    if (round < 2) a.set.onControlLost(record);
    else a.set.onControlAcked(record);
  }
  assert.deepEqual(a.drain(), [{ type: "finished", id: 1 }]);
  a.set.onControlLost({ type: "streamReset", stream: 1, code: 9, finalSize: 500 });
  assert.equal(a.set.hasControl(), false, "acknowledged since");
});

test("a reset behind an acknowledged end, with bytes missing before it, is sent until acknowledged", () => {
  const { a, b } = pair();
  a.set.open(0);
  a.set.write(1, pattern(300));
  a.set.finish(1);
  const [first, ...rest] = sendAll(a.set, 103);
  b.set.onData(1, 0x04, 0, 300, NONE, 0);
  b.set.finish(1);
  for (const ref of rest) a.set.onAcked(ref);
  a.set.onLost(first!);
  a.set.reset(1, 0x123);
  assert.equal(a.set.info(1)?.sendState, "resetting");
  a.set.onData(1, 0x04, 0, 0, NONE, 0);
  assert.deepEqual(a.drain().map(({ type }) => type), ["readable"]);
  const record = a.set.nextControl(64, 0)!;
  assert.equal(record.type, "streamReset");
  a.set.onControlLost(record);
  assert.deepEqual(a.set.nextControl(64, 0), record);
  assert.equal(a.set.isIdle(), false);
  a.set.onControlAcked(record);
  assert.equal(a.set.isIdle(), true);
  assert.deepEqual(a.drain().map(({ type }) => type), ["finished", "closed"]);
  b.set.onReset(1, 0x123, 300, 0);
  assert.ok(b.drain().some(({ type }) => type === "reset"));
});

test("a lost stop is sent again while the peer may still send", () => {
  const { b } = pair();
  b.set.onData(1, 0, 0, 0, pattern(5), 0);
  b.set.stop(1, 3);
  const record = b.set.nextControl(100, 0)!;
  b.set.onControlLost(record);
  assert.deepEqual(b.set.nextControl(100, 0), record);
  b.set.onReset(1, 3, 5, 0);
  b.set.onControlLost(record);
  assert.equal(b.set.hasControl(), false);
});

test("lost credit is told again with the value of the moment, unless newer is under way", () => {
  const { b } = pair();
  b.set.onData(1, 0, 0, 0, pattern(9000), 0);
  readAll(b, 1);
  const first = b.set.nextControl(100, 0)!;
  assert.deepEqual(first, { type: "flowCredit", stream: 1, limit: 25_384 });
  b.set.onControlLost(first);
  assert.deepEqual(b.set.nextControl(100, 0), first);
  b.set.onData(1, 0, 0, 9000, pattern(16_000), 0);
  readAll(b, 1);
  const second = b.set.nextControl(100, 0)!;
  assert.deepEqual(second, { type: "flowCredit", stream: 1, limit: 41_384 });
  b.set.onControlLost(first);
  assert.equal(b.set.hasControl(), false);
  b.set.onControlLost(second);
  b.set.onData(1, 0x04, 0, 25_000, NONE, 0);
  assert.equal(b.set.hasControl(), false, "the end is known: no more credit is needed");
});

test("lost STREAMS_LIMIT and session credit are told again; BLOCKED never", () => {
  const { a, b } = pair();
  a.set.reset(a.set.open(0)!, 1);
  a.set.onControlAcked(a.set.nextControl(100, 0)!);
  b.set.onReset(1, 1, 0, 0);
  b.set.onControlAcked(b.set.nextControl(100, 0) ?? b.set.nextControl(100, 0)!);
  const records = [];
  for (let record = b.set.nextControl(100, 0); record; record = b.set.nextControl(100, 0)) {
    records.push(record);
  }
  const limit = { type: "streamsLimit", count: LIMITS.maxStreams + 1 } as const;
  assert.deepEqual(records, [limit]);
  b.set.onControlLost(limit);
  assert.deepEqual(b.set.nextControl(100, 0), limit);
  b.set.onControlLost({ type: "streamsLimit", count: 5 });
  b.set.onControlLost({ type: "flowCredit", stream: 0, limit: 5 });
  b.set.onControlLost({ type: "blocked", stream: 0, limit: 5 });
  b.set.onControlLost({ type: "blocked", stream: 1, limit: 5 });
  assert.equal(b.set.hasControl(), false);
  b.set.onControlLost({ type: "flowCredit", stream: 0, limit: LIMITS.maxData });
  assert.deepEqual(b.set.nextControl(100, 0), {
    type: "flowCredit",
    stream: 0,
    limit: LIMITS.maxData,
  });
});

test("records wait for a packet with enough room", () => {
  const { a } = pair();
  a.set.open(0);
  a.set.write(1, pattern(500));
  sendAll(a.set, 100);
  a.set.reset(1, 300);
  assert.equal(a.set.nextControl(5, 0), undefined);
  assert.equal(a.set.hasControl(), true);
  assert.equal(a.set.nextControl(6, 0)?.type, "streamReset");
});

test("BLOCKED makes no packet of its own while bytes are on their way: credit comes as they arrive", () => {
  for (const limit of [LIMITS.maxStreamData, LIMITS.maxData]) {
    const { a } = pair();
    const streams = limit / LIMITS.maxStreamData;
    for (let count = 0; count < streams; count++) {
      a.set.write(a.set.open(0)!, pattern(LIMITS.maxStreamData + (streams === 1 ? 1 : 0)));
    }
    if (streams > 1) a.set.write(a.set.open(0)!, pattern(1));
    const refs = sendAll(a.set, 1000);
    assert.equal(a.set.hasData(), false);
    for (const ref of refs) {
      assert.equal(a.set.hasControl(), false);
      a.set.onAcked(ref);
    }
    assert.equal(a.set.hasControl(), true);
    const stream = streams > 1 ? 0 : 1;
    assert.deepEqual(a.set.nextControl(100, 0), { type: "blocked", stream, limit });
    assert.equal(a.set.hasControl(), false);
  }
});
