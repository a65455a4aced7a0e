import assert from "node:assert/strict";
import { test } from "node:test";
import { joined, LIMITS, pattern, readAll, settle, Side } from "./stream_pipe_test.ts";
import { StreamChunk } from "./types.ts";

const NONE = new Uint8Array(0);
const END = 0x04;

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

test("ids are odd for the initiator and even for the responder, in order", () => {
  const { a, b } = joined();
  assert.deepEqual([a.set.open(0), a.set.open(0), b.set.open(0), b.set.open(0)], [1, 3, 2, 4]);
});

test("flags say what a frame is", () => {
  const { a } = joined();
  const chunk = new StreamChunk();
  const frame = () => [chunk.streamId, chunk.flags, chunk.offset, chunk.length];
  a.set.open(0, 700);
  a.set.write(1, pattern(10));
  assert.equal(a.set.nextData(8, chunk), true);
  assert.deepEqual(frame(), [1, 0x12, 0, 6]);
  a.set.finish(1);
  assert.equal(a.set.nextData(100, chunk), true);
  assert.deepEqual(frame(), [1, 0x14, 6, 4]);
  a.set.open(4, 100);
  a.set.writeMessage(3, pattern(10));
  a.set.nextData(8, chunk);
  assert.deepEqual(frame(), [3, 0x2a, 0, 6]);
  a.set.nextData(100, chunk);
  assert.deepEqual(frame(), [3, 0x20, 6, 5]);
  a.set.finish(3);
  a.set.nextData(100, chunk);
  assert.deepEqual(frame(), [3, 0x24, 11, 0]);
  assert.equal(a.set.nextData(100, chunk), false);
});

test("a frame for a higher id opens the lower ones, and their state comes with their first frame", () => {
  const { b } = joined({ local: { ...LIMITS, maxStreams: 1000 } });
  b.set.onData(1999, 0, 0, 0, pattern(1), 0);
  assert.deepEqual([b.set.stats().open, b.set.stats().accepted], [1, 1000]);
  b.set.onData(3, 0, 4, 0, NONE, 0);
  b.set.onFlowCredit(5, 1e6);
  assert.deepEqual(b.drain(), [
    { type: "opened", id: 1999, kind: 0 },
    { type: "readable", id: 1999 },
    { type: "opened", id: 3, kind: 4 },
  ]);
  assert.equal(b.set.kindOf(5), undefined, "a record opens a stream, its kind comes later");
  b.set.onData(5, 0, 5, 0, NONE, 0);
  assert.deepEqual(b.drain(), [{ type: "opened", id: 5, kind: 5 }]);
});

test("a reader that does not read stops the sender; BLOCKED is said once per limit", () => {
  const { a, b } = joined();
  a.set.open(0);
  a.set.write(1, pattern(100_000));
  settle(a, b);
  assert.equal(b.set.stats().recvBuffered, 16_384);
  assert.deepEqual(a.records, [{ type: "blocked", stream: 1, limit: 16_384 }]);
  for (let left = 8191; left > 0;) left -= b.set.read(1, left)!.length;
  settle(a, b);
  assert.equal(b.records.length, 0, "half of the window is not read yet");
  b.set.read(1, 1);
  settle(a, b);
  assert.equal(b.set.stats().recvBuffered, 8192 + 8192);
  assert.deepEqual(b.records, [{ type: "flowCredit", stream: 1, limit: 16_384 + 8192 }]);
  assert.deepEqual(a.records[1], { type: "blocked", stream: 1, limit: 16_384 + 8192 });
  assert.equal(a.records.length, 2);
});

test("the session's credit holds all streams, and an end still goes out", () => {
  const { a, b } = joined();
  for (let index = 0; index < 5; index++) a.set.write(a.set.open(0)!, pattern(16_384));
  const last = a.set.open(0)!;
  a.set.finish(last);
  settle(a, b);
  assert.equal(b.set.stats().recvBuffered, 65_536);
  assert.equal(b.set.info(last)?.recvState, "ended");
  assert.deepEqual(a.records, [{ type: "blocked", stream: 0, limit: 65_536 }]);
  let read = 0;
  for (let rounds = 0; rounds < 10; rounds++) {
    for (const id of [1, 3, 5, 7, 9]) if (b.set.has(id)) read += readAll(b, id).bytes.length;
    settle(a, b);
  }
  assert.equal(read, 5 * 16_384);
});

test("windows double while two updates come within two round trips", () => {
  const { a, b } = joined();
  b.set.setRtt(100);
  a.set.open(0);
  let windows = 0;
  for (let round = 0; round < 200; round++) {
    if (a.set.bufferedBytes(1) < 100_000) a.set.write(1, pattern(100_000));
    settle(a, b, 4096, round);
    readAll(b, 1);
    windows = b.set.info(1)!.received;
  }
  assert.ok(windows > 10_000_000, "far more than 200 first windows");
});

test("behind a hole windows follow what arrives, but not where the reader leaves bytes lying", () => {
  for (const hole of [1000, 0]) {
    const { b } = joined();
    b.set.setRtt(10);
    const { maxStreamData } = LIMITS;
    for (let at = hole; at < maxStreamData; at += 1000) {
      const size = Math.min(1000, maxStreamData - at);
      b.set.onData(1, 0, 0, at, pattern(size), at / 1000);
    }
    const limits = new Map<number, number>();
    for (let record; (record = b.set.nextControl(4096, 20));) {
      if (record.type === "flowCredit") limits.set(record.stream, record.limit);
    }
    if (hole === 0) assert.deepEqual([...limits], [], "nothing was read of what could be");
    else assert.deepEqual([...limits], [[1, 4 * maxStreamData]], "the session has enough ahead");
    assert.ok(b.set.stats().recvBuffered >= maxStreamData - 1000);
  }
});

test("streams that nobody reads do not make the session's window grow, however many begin", () => {
  const { b } = joined();
  b.set.setRtt(10);
  for (let index = 0; index < LIMITS.maxStreams; index++) {
    const size = Math.min(LIMITS.maxStreamData, LIMITS.maxData / LIMITS.maxStreams);
    b.set.onData(2 * index + 1, 0, 0, 0, pattern(size), index / 10);
  }
  assert.equal(b.set.stats().recvBuffered, LIMITS.maxData);
  assert.equal(b.set.nextControl(4096, 20), undefined);
});

test("write says when to wait, and writable when to go on", () => {
  const { a, b } = joined({ sendBuffer: 1000 });
  a.set.open(0);
  assert.equal(a.set.write(1, pattern(999)), true);
  assert.equal(a.set.canWrite(1), true);
  assert.equal(a.set.write(1, pattern(1)), false);
  assert.equal(a.set.canWrite(1), false);
  assert.equal(a.set.bufferedBytes(1), 1000);
  a.transmit(400, 0, 1);
  assert.deepEqual(a.drain(), []);
  a.transmit(400, 0, 1);
  assert.deepEqual(a.drain(), [{ type: "writable", id: 1 }]);
  settle(a, b);
  assert.deepEqual(a.drain(), []);
});

test("reset drops what is not sent, tells the final size and returns the session's credit", () => {
  const { a, b } = joined();
  a.set.open(0);
  a.set.write(1, pattern(5000));
  a.transmit(1000, 0, 3);
  a.deliver(b, 0, () => "pass");
  a.set.reset(1, 0x123);
  assert.equal(a.set.bufferedBytes(1), 0);
  settle(a, b);
  const sent = a.set.stats().bytesSent;
  assert.deepEqual(a.records, [{ type: "streamReset", stream: 1, code: 0x123, finalSize: sent }]);
  assert.deepEqual(b.drain(), [
    { type: "opened", id: 1, kind: 0 },
    { type: "readable", id: 1 },
    { type: "reset", id: 1, code: 0x123 },
  ]);
  assert.throws(() => b.set.read(1), { code: "STREAM_RESET", wire: 0x123, remote: true });
  assert.equal(b.set.stats().recvBuffered, 0);
  assert.equal(b.set.stats().bytesReceived, sent);
  b.set.write(1, pattern(10));
  b.set.finish(1);
  settle(a, b);
  assert.deepEqual(readAll(a, 1), { bytes: pattern(10), ended: true });
  assert.equal(a.drain().at(-1)?.type, "closed");
  assert.equal(b.drain().at(-1)?.type, "closed");
});

test("stop is answered by reset; the application hears of it and can write no more", () => {
  const { a, b } = joined();
  a.set.open(0);
  a.set.write(1, pattern(40_000));
  settle(a, b);
  b.set.stop(1, 0x777);
  assert.equal(b.set.stats().recvBuffered, 0);
  settle(a, b);
  assert.deepEqual(b.records.map((record) => record.type), ["streamStop"]);
  assert.deepEqual(a.drain(), [
    { type: "stopped", id: 1, code: 0x777 },
    { type: "finished", id: 1 },
  ]);
  assert.throws(() => a.set.write(1, pattern(1)), {
    code: "STREAM_STOPPED",
    wire: 0x777,
    remote: true,
  });
  assert.equal(a.records.at(-1)?.type, "streamReset");
  assert.throws(() => b.set.read(1), { code: "STREAM_CLOSED" });
  assert.equal(b.drain().some((event) => event.type === "reset"), false, "it was not asked for");
  b.set.finish(1);
  settle(a, b);
  assert.equal(b.drain().at(-1)?.type, "closed");
});

test("a stop after everything was sent is not answered", () => {
  const { a, b } = joined();
  a.set.open(0);
  a.set.write(1, pattern(10));
  a.set.finish(1);
  a.transmit(1000, 0);
  b.set.onData(1, 0, 0, 0, pattern(5), 0);
  b.set.stop(1, 5);
  settle(a, b);
  assert.deepEqual(a.records, []);
  b.set.finish(1);
  settle(a, b);
  assert.equal(b.drain().at(-1)?.type, "closed", "the end that was under way was enough");
});

test("a stop before the first data is answered, and told when the kind is known", () => {
  const { b } = joined();
  b.set.onStop(1, 9);
  assert.deepEqual(b.drain(), []);
  assert.deepEqual(b.set.nextControl(100, 0), {
    type: "streamReset",
    stream: 1,
    code: 9,
    finalSize: 0,
  });
  b.set.onData(1, 0, 0, 0, pattern(4), 0);
  assert.deepEqual(b.drain().slice(0, 2), [
    { type: "opened", id: 1, kind: 0 },
    { type: "stopped", id: 1, code: 9 },
  ]);
  assert.throws(() => b.set.write(1, pattern(1)), { code: "STREAM_STOPPED" });
});

test("a stream reset before its kind was known is over without a word to the application", () => {
  const { a, b } = joined();
  a.set.open(0);
  a.set.write(1, pattern(100));
  a.set.reset(1, 7);
  settle(a, b);
  assert.deepEqual(b.drain(), []);
  assert.equal(b.set.has(1), false);
  a.drain();
  assert.equal(a.set.has(1), false);
});

test("frames for a half that is over are ignored", () => {
  const { a, b } = joined();
  a.set.open(0);
  a.set.write(1, pattern(10));
  a.set.finish(1);
  settle(a, b);
  readAll(b, 1);
  const late = () => {
    b.set.onData(1, END, 0, 0, pattern(500), 0);
    b.set.onData(1, 0, 0, 1e9, pattern(5), 0);
    b.set.onReset(1, 1, 1e9, 0);
    b.set.onGap(1, 0, 1e9);
    b.set.onStop(1, 1);
    b.set.onFlowCredit(1, 1e9);
    b.set.onBlocked(1, 0);
  };
  b.set.finish(1);
  settle(a, b);
  late();
  assert.equal(b.drain().at(-1)?.type, "closed");
  assert.equal(b.set.has(1), false);
  late();
  assert.deepEqual(b.drain(), []);
  assert.equal(b.set.stats().bytesReceived, 10);
});

test("the number of streams is limited until earlier ones close; then streams is told", () => {
  const { a, b } = joined();
  for (let index = 0; index < 16; index++) assert.equal(a.set.open(0), 2 * index + 1);
  assert.equal(a.set.open(0), undefined);
  settle(a, b);
  b.drain();
  assert.deepEqual(a.drain(), []);
  a.set.reset(5, 1);
  b.set.reset(5, 1);
  settle(a, b);
  assert.deepEqual(b.records.at(-1), { type: "streamsLimit", count: 17 });
  assert.equal(a.drain().some((event) => event.type === "streams"), true);
  assert.equal(a.set.open(0), 33);
  assert.equal(a.set.open(0), undefined);
});

test("10 000 streams opened and closed leave nothing behind", () => {
  const { a, b } = joined();
  const payload = pattern(40);
  for (let index = 0; index < 10_000; index++) {
    const id = a.set.open(index % 2 === 0 ? 0 : 4)!;
    assert.equal(id, 2 * index + 1);
    if (index % 2 === 0) a.set.write(id, payload);
    else a.set.writeMessage(id, payload);
    if (index % 3 === 0) a.set.reset(id, 1);
    else a.set.finish(id);
    settle(a, b);
    for (const event of b.drain()) {
      if (event.type === "opened") b.set.finish(event.id);
      if (event.type !== "readable") continue;
      assert.deepEqual(index % 2 === 0 ? b.set.read(id) : b.set.readMessage(id), payload);
    }
    settle(a, b);
    b.drain();
    a.drain();
  }
  for (const side of [a, b]) {
    const stats = side.set.stats();
    assert.deepEqual([stats.open, stats.closed], [0, 10_000]);
    assert.equal(stats.sendBuffered + stats.recvBuffered, 0);
    assert.equal(side.set.isIdle(), true);
  }
  assert.equal(b.set.stats().bytesReceived, a.set.stats().bytesSent);
});

test("high goes before normal before low, but nobody starves", () => {
  const { a } = joined({ local: { maxData: 1e9, maxStreamData: 1e9, maxStreams: 16 } });
  const order = new Map([[a.set.open(0, 0)!, 0], [a.set.open(0)!, 0], [a.set.open(0, 1000)!, 0]]);
  for (const id of order.keys()) a.set.write(id, pattern(1_000_000));
  const chunk = new StreamChunk();
  for (let packet = 0; packet < 160; packet++) {
    assert.equal(a.set.nextData(1200, chunk), true);
    order.set(chunk.streamId, order.get(chunk.streamId)! + 1);
  }
  const [low, normal, high] = [...order.values()];
  assert.ok(low! >= 10 && normal! >= 10 && high! > 130, [...order.values()].join());
  a.set.setPriority(1, 1000);
  a.set.setPriority(5, 0);
  for (let packet = 0; packet < 5; packet++) a.set.nextData(1200, chunk);
  assert.equal(chunk.streamId, 1, "a new priority counts at once");
});

test("readable is told once, and again only after a read found nothing", () => {
  const { b } = joined();
  b.set.onData(1, 0, 0, 0, pattern(4), 0);
  b.drain();
  b.set.onData(1, 0, 0, 4, pattern(4), 0);
  assert.deepEqual(b.drain(), []);
  b.set.read(1);
  b.set.onData(1, 0, 0, 8, pattern(4), 0);
  assert.deepEqual(b.drain(), []);
  readAll(b, 1);
  b.set.onData(1, END, 0, 12, NONE, 0);
  assert.deepEqual(b.drain(), [{ type: "readable", id: 1 }]);
  assert.equal(b.set.read(1), null);
  assert.equal(b.set.read(1), null, "the end stays the end");
});

test("isIdle is true only when nothing waits, and without loss reports only when all is acknowledged", () => {
  const { a, b } = joined();
  assert.equal(a.set.isIdle(), true);
  a.set.open(0);
  assert.equal(a.set.isIdle(), false);
  a.set.write(1, pattern(40_000));
  settle(a, b);
  assert.equal(a.set.isIdle(), false, "held by credit");
  readAll(b, 1);
  settle(a, b);
  readAll(b, 1);
  settle(a, b);
  readAll(b, 1);
  settle(a, b);
  assert.equal(a.set.isIdle(), true);
  const far = new Side({ role: "initiator", reliable: false });
  far.set.setPeerLimits(LIMITS);
  far.set.open(0);
  far.set.write(1, pattern(10));
  const chunk = new StreamChunk();
  far.set.nextData(100, chunk);
  assert.equal(far.set.isIdle(), false);
  far.set.onAcked(chunk.ref());
  assert.equal(far.set.isIdle(), true);
});
