import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeVarint } from "../codec/varint.ts";
import { joined, LIMITS, pattern, settle, type Side } from "./stream_pipe_test.ts";
import { StreamChunk } from "./types.ts";
import { UnorderedMessages } from "./unordered_messages.ts";
import { PieceBudget } from "./piece.ts";

const END = 0x04;
const SEGMENT = 0x08;
const NONE = new Uint8Array(0);

function framed(...messages: Uint8Array[]): Uint8Array {
  return Uint8Array.from(messages.flatMap((one) => [...encodeVarint(one.length), ...one]));
}

function readMessages(side: Side, id: number): Uint8Array[] {
  const messages: Uint8Array[] = [];
  for (;;) {
    const message = side.set.readMessage(id);
    if (message === null || message === undefined) return messages;
    messages.push(message);
  }
}

for (const kind of [4, 5]) {
  test(`kind ${kind}: messages of all sizes arrive whole, the empty one too`, () => {
    const { a, b } = joined();
    a.set.open(kind);
    const messages = [NONE, pattern(1), pattern(127), pattern(128), NONE, pattern(9000)];
    for (const message of messages) a.set.writeMessage(1, message);
    a.set.finish(1);
    settle(a, b);
    assert.deepEqual(readMessages(b, 1), messages);
    assert.equal(b.set.readMessage(1), null);
  });

  test(`kind ${kind}: a message larger than both windows arrives, with a reader that only waits`, () => {
    const local = { maxData: 2000, maxStreamData: 1000, maxStreams: 4 };
    const { a, b } = joined({ local, maxMessageSize: 100_000 });
    a.set.open(kind);
    a.set.writeMessage(1, pattern(100_000));
    settle(a, b, 300);
    assert.deepEqual(b.set.readMessage(1), pattern(100_000));
    a.set.writeMessage(1, pattern(5));
    a.set.finish(1);
    settle(a, b, 300);
    assert.deepEqual(readMessages(b, 1), [pattern(5)]);
  });

  test(`kind ${kind}: many streams with messages under way share a small session window`, () => {
    const local = { maxData: 2000, maxStreamData: 2000, maxStreams: 40 };
    const { a, b } = joined({ local });
    for (let index = 0; index < 40; index++) a.set.writeMessage(a.set.open(kind)!, pattern(1500));
    let whole = 0;
    for (let round = 0; round < 40; round++) {
      settle(a, b, 100);
      for (let id = 1; id < 80; id += 2) if (b.set.has(id)) whole += readMessages(b, id).length;
    }
    assert.equal(whole, 40);
  });

  test(`kind ${kind}: what nobody reads is bounded by one message and one window`, () => {
    const local = { maxData: 20_000, maxStreamData: 5000, maxStreams: 4 };
    const { a, b } = joined({ local, maxMessageSize: 50_000 });
    a.set.open(kind);
    for (let index = 0; index < 10; index++) a.set.writeMessage(1, pattern(50_000));
    settle(a, b, 600);
    const held = b.set.stats().recvBuffered;
    assert.ok(held >= 50_000 && held <= 55_003, `${held}`);
    let read = 0;
    while (read < 10) {
      const some = readMessages(b, 1).length;
      assert.ok(some > 0);
      read += some;
      settle(a, b, 600);
    }
  });

  test(`kind ${kind}: a message above the limit costs the stream, not the session`, () => {
    const { a, b } = joined({ maxMessageSize: 1000 });
    a.set.open(kind);
    a.set.writeMessage(1, pattern(1000));
    settle(a, b);
    a.set.writeMessage(1, pattern(1001));
    settle(a, b);
    assert.deepEqual(b.drain(), [
      { type: "opened", id: 1, kind },
      { type: "readable", id: 1 },
      { type: "reset", id: 1, code: 0x23 },
    ]);
    assert.throws(() => b.set.readMessage(1), { code: "BUFFER_EXCEEDED", wire: 0x23, limit: 1000 });
    assert.deepEqual(b.records.find((record) => record.type === "streamStop"), {
      type: "streamStop",
      stream: 1,
      code: 0x23,
    });
    assert.deepEqual(a.drain()[0], { type: "stopped", id: 1, code: 0x23 });
    b.set.writeMessage(1, pattern(10));
    b.set.finish(1);
    settle(a, b);
    assert.deepEqual(readMessages(a, 1), [pattern(10)], "the other direction goes on");
    assert.equal(b.drain().at(-1)?.type, "closed");
    assert.equal(b.set.stats().recvBuffered, 0);
  });
}

test("unordered: a message behind a hole is read at once", () => {
  const { b } = joined();
  const first = framed(pattern(100));
  const second = framed(pattern(50), pattern(60));
  b.set.onData(1, SEGMENT, 5, first.length, second, 0);
  assert.deepEqual(readMessages(b, 1), [pattern(50), pattern(60)]);
  b.set.onData(1, SEGMENT, 5, 0, first, 0);
  assert.deepEqual(readMessages(b, 1), [pattern(100)]);
});

test("unordered: without flags the ends of known messages are enough", () => {
  const { b } = joined();
  const all = framed(pattern(100), pattern(50), pattern(60), NONE);
  b.set.onData(1, 0, 5, 120, all.slice(120), 0);
  assert.equal(b.set.readMessage(1), undefined);
  b.set.onData(1, 0, 5, 0, all.slice(0, 150), 0);
  assert.deepEqual(readMessages(b, 1), [pattern(100), pattern(50), pattern(60), NONE]);
  b.set.onData(1, END, 5, all.length, NONE, 0);
  assert.equal(b.set.readMessage(1), null);
});

test("unordered: messages that fit are never split, nor are their neighbours", () => {
  fc.assert(fc.property(
    fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 30 }),
    fc.integer({ min: 40, max: 300 }),
    (sizes, room) => {
      const { a, b } = joined({ local: { ...LIMITS, maxData: 1e6, maxStreamData: 1e6 } });
      a.set.open(5);
      const starts = new Map<number, number>();
      let offset = 0;
      for (const size of sizes) {
        const whole = encodeVarint(size).length + size;
        starts.set(offset, whole);
        offset += whole;
        a.set.writeMessage(1, pattern(size));
      }
      const chunk = new StreamChunk();
      while (a.set.nextData(room, chunk)) {
        const end = chunk.offset + chunk.length;
        const flagged = (chunk.flags & SEGMENT) !== 0;
        assert.equal(flagged, starts.has(chunk.offset));
        for (const [start, size] of starts) {
          if (start + size <= chunk.offset || start >= end) continue;
          const whole = start >= chunk.offset && start + size <= end;
          // Only a message that fills more than a frame is cut, and then it has its frames alone.
          if (!whole) assert.ok(size > room - 3 && (chunk.offset >= start));
          else assert.ok(flagged);
        }
        const data = Uint8Array.from(chunk.parts.flatMap((part) => [...part]));
        b.set.onData(1, chunk.flags, 5, chunk.offset, data, 0);
      }
      assert.deepEqual(readMessages(b, 1).map((one) => one.length), sizes);
    },
  ));
});

test("unordered: lost frames keep their boundaries, in larger and smaller frames", () => {
  const { a, b } = joined({ reliable: false, local: { ...LIMITS, maxStreamData: 60_000 } });
  a.set.open(5);
  const messages = [pattern(100), pattern(500, 1), pattern(30, 2), pattern(40, 3), pattern(90, 4)];
  for (const message of messages) a.set.writeMessage(1, message);
  const chunk = new StreamChunk();
  const refs = [];
  while (a.set.nextData(203, chunk)) refs.push(chunk.ref());
  for (const ref of refs) a.set.onLost(ref);
  const got: Uint8Array[] = [];
  const frames: [number, Uint8Array, number][] = [];
  for (const room of [120, 64, 300, 96, 120, 120, 300, 300, 300, 300, 300, 300, 300]) {
    if (!a.set.nextData(room, chunk)) break;
    assert.equal(chunk.retransmission, true);
    const data = Uint8Array.from(chunk.parts.flatMap((part) => [...part]));
    frames.push([chunk.offset, data, chunk.flags]);
  }
  assert.equal(a.set.hasData(), false);
  for (const [offset, data, flags] of frames.reverse()) {
    b.set.onData(1, flags, 5, offset, data, 0);
    got.push(...readMessages(b, 1));
  }
  assert.deepEqual(
    new Set(got.map((one) => one.join())),
    new Set(messages.map((one) => one.join())),
  );
  assert.equal(got.length, messages.length);
});

test("unordered: a message that fits a full packet waits for one", () => {
  const { a } = joined();
  a.set.open(5);
  a.set.writeMessage(1, pattern(100));
  const chunk = new StreamChunk();
  assert.equal(a.set.nextData(60, chunk, 200), false);
  assert.equal(a.set.hasData(), true);
  assert.equal(a.set.nextData(200, chunk, 200), true);
  assert.equal(chunk.length, 101);
});

test("unordered: any cut, any order, any repetition gives every message once", () => {
  fc.assert(fc.property(
    fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 15 }),
    fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 400 })), { maxLength: 40 }),
    (sizes, cuts) => {
      const messages = sizes.map((size, index) => pattern(size, index));
      const all = framed(...messages);
      const starts = new Set<number>();
      let at = 0;
      for (const message of messages) {
        starts.add(at);
        at += encodeVarint(message.length).length + message.length;
      }
      const budget = new PieceBudget(1000);
      const body = new UnorderedMessages(budget, 1000);
      const got: Uint8Array[] = [];
      for (const [seed, length] of [...cuts, [0, all.length] as const]) {
        const offset = seed % all.length;
        const data = all.slice(offset, offset + length);
        body.insert(offset, data, starts.has(offset));
        const message = body.read();
        if (message !== undefined) got.push(message);
        assert.ok(body.consumed <= all.length);
      }
      body.setFinalSize(all.length);
      for (let one = body.read(); one !== undefined; one = body.read()) got.push(one);
      const key = (one: Uint8Array) => one.join();
      assert.deepEqual(got.map(key).sort(), messages.map(key).sort());
      assert.equal(body.consumed, all.length, "all credit returned, none twice");
      assert.equal(body.bufferedBytes, 0);
      body.clear();
      assert.equal(budget.held, 0);
    },
  ));
});
