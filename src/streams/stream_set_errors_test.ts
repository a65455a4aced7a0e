import assert from "node:assert/strict";
import { test } from "node:test";
import { StreamSet } from "./stream_set.ts";
import { joined, LIMITS, pattern, settle, Side } from "./stream_pipe_test.ts";

const END = 0x04;

function responder(): StreamSet {
  const set = new StreamSet({ role: "responder", reliable: true, local: LIMITS });
  set.setPeerLimits(LIMITS);
  return set;
}

/** What closes the session: name, wire code, and the input that does it. */
const VIOLATIONS: readonly [string, string, (set: StreamSet) => void][] = [
  ["delivery 3", "PROTOCOL", (set) => set.onData(1, 0, 3, 0, pattern(1), 0)],
  ["kind bit 3", "PROTOCOL", (set) => set.onData(1, 0, 8, 0, pattern(1), 0)],
  ["kind bit 7", "PROTOCOL", (set) => set.onData(1, 0, 0x80, 0, pattern(1), 0)],
  ["unordered bytes", "PROTOCOL", (set) => set.onData(1, 0, 1, 0, pattern(1), 0)],
  ["flag 01", "PROTOCOL", (set) => set.onData(1, 1, 0, 0, pattern(1), 0)],
  ["flag 40", "PROTOCOL", (set) => set.onData(1, 0x40, 0, 0, pattern(1), 0)],
  ["flag 80", "PROTOCOL", (set) => set.onData(1, 0x80, 0, 0, pattern(1), 0)],
  ["another kind", "PROTOCOL", (set) => {
    set.onData(1, 0, 0, 0, pattern(1), 0);
    set.onData(1, 0, 4, 1, pattern(1), 0);
  }],
  ["another kind than the opener's", "PROTOCOL", (set) => {
    set.open(0);
    set.onData(2, 0, 4, 0, pattern(1), 0);
  }],
  ["stream 0", "STREAM_STATE", (set) => set.onData(0, 0, 0, 0, pattern(1), 0)],
  ["our stream, unopened: data", "STREAM_STATE", (set) => set.onData(2, 0, 0, 0, pattern(1), 0)],
  ["our stream, unopened: reset", "STREAM_STATE", (set) => set.onReset(2, 0, 0, 0)],
  ["our stream, unopened: stop", "STREAM_STATE", (set) => set.onStop(2, 0)],
  ["our stream, unopened: credit", "STREAM_STATE", (set) => set.onFlowCredit(2, 1)],
  ["our stream, unopened: gap", "STREAM_STATE", (set) => set.onGap(2, 0, 1)],
  ["our stream, unopened: blocked", "STREAM_STATE", (set) => set.onBlocked(2, 0)],
  ["a stream too many", "STREAM_LIMIT", (set) => set.onData(33, 0, 0, 0, pattern(1), 0)],
  ["a stream too many, by a record", "STREAM_LIMIT", (set) => set.onStop(33, 0)],
  ["the last stream of all", "STREAM_LIMIT", (set) => set.onStop(4_294_967_295, 0)],
  ["above the stream's credit", "FLOW_CONTROL", (set) => {
    set.onData(1, 0, 0, 16_384, pattern(1), 0);
  }],
  ["an end above the stream's credit", "FLOW_CONTROL", (set) => {
    set.onData(1, END, 0, 16_385, new Uint8Array(0), 0);
  }],
  ["above the session's credit", "FLOW_CONTROL", (set) => {
    for (const id of [1, 3, 5, 7]) set.onData(id, 0, 0, 16_383, pattern(1), 0);
    set.onData(9, 0, 0, 0, pattern(1), 0);
  }],
  ["a reset above the stream's credit", "FLOW_CONTROL", (set) => set.onReset(1, 0, 16_385, 0)],
  ["a reset above the session's credit", "FLOW_CONTROL", (set) => {
    for (const id of [1, 3, 5, 7]) set.onReset(id, 0, 16_384, 0);
    // What the four took is free again, but the peer was not told yet.
    set.onReset(9, 0, 1, 0);
  }],
  ["a gap above the credit", "FLOW_CONTROL", (set) => {
    set.onData(1, 0, 2, 0, pattern(1), 0);
    set.onGap(1, 1, 16_384);
  }],
  ["data behind the end", "FINAL_SIZE", (set) => {
    set.onData(1, END, 0, 5, pattern(5), 0);
    set.onData(1, 0, 0, 10, pattern(1), 0);
  }],
  ["another end", "FINAL_SIZE", (set) => {
    set.onData(1, END, 0, 5, pattern(5), 0);
    set.onData(1, END, 0, 5, pattern(4), 0);
  }],
  ["an end below what came", "FINAL_SIZE", (set) => {
    set.onData(1, 0, 0, 5, pattern(5), 0);
    set.onData(1, END, 0, 5, pattern(4), 0);
  }],
  ["a reset below what came", "FINAL_SIZE", (set) => {
    set.onData(1, 0, 0, 0, pattern(5), 0);
    set.onReset(1, 0, 4, 0);
  }],
  ["a reset that moves the end", "FINAL_SIZE", (set) => {
    set.onData(1, END, 0, 5, pattern(5), 0);
    set.onReset(1, 0, 11, 0);
  }],
  ["a gap behind the end", "FINAL_SIZE", (set) => {
    set.onData(1, END, 2, 5, pattern(5), 0);
    set.onGap(1, 8, 3);
  }],
  ["a gap of a stream of bytes", "PROTOCOL", (set) => {
    set.onData(1, 0, 0, 0, pattern(1), 0);
    set.onGap(1, 1, 5);
  }],
  ["bytes of a stream that had a gap", "PROTOCOL", (set) => {
    set.onGap(1, 1, 5);
    set.onData(1, 0, 0, 0, pattern(1), 0);
  }],
  ["end inside a body", "PROTOCOL", (set) => {
    set.onData(1, END, 4, 0, Uint8Array.of(5, 1, 2), 0);
  }],
  ["end inside a prefix", "PROTOCOL", (set) => set.onData(1, END, 4, 0, Uint8Array.of(0x85), 0)],
  ["end inside a body, told later", "PROTOCOL", (set) => {
    set.onData(1, 0, 4, 0, Uint8Array.of(5, 1, 2), 0);
    set.onData(1, END, 4, 3, new Uint8Array(0), 0);
  }],
  ["length not minimal", "PROTOCOL", (set) => set.onData(1, 0, 4, 0, Uint8Array.of(0x80, 0), 0)],
  ["length above 2^53", "PROTOCOL", (set) => {
    set.onData(1, 0, 4, 0, new Uint8Array(9).fill(0xff), 0);
  }],
  ["unordered: end inside a body", "PROTOCOL", (set) => {
    set.onData(1, END, 5, 0, Uint8Array.of(5, 1, 2), 0);
  }],
  ["unordered: end inside a body, known first", "PROTOCOL", (set) => {
    set.onData(1, END, 5, 4, Uint8Array.of(0, 0), 0);
    set.onData(1, 8, 5, 0, Uint8Array.of(9, 1, 2), 0);
  }],
  ["unordered: a message inside another", "PROTOCOL", (set) => {
    set.onData(1, 8, 5, 0, Uint8Array.of(9, 1, 2), 0);
    set.onData(1, 8, 5, 5, Uint8Array.of(9, 1, 2), 0);
  }],
  ["unordered: a message around another", "PROTOCOL", (set) => {
    set.onData(1, 8, 5, 5, Uint8Array.of(1, 1), 0);
    set.onData(1, 8, 5, 0, Uint8Array.of(9, 1, 2), 0);
  }],
  ["unordered: length not minimal", "PROTOCOL", (set) => {
    set.onData(1, 8, 5, 5, Uint8Array.of(0x80, 0), 0);
  }],
];

for (const [name, code, violate] of VIOLATIONS) {
  test(`the session is closed by ${name}`, () => {
    assert.throws(() => violate(responder()), (error: Error & { code?: string; wire?: number }) => {
      assert.equal(error.code, code, error.message);
      assert.ok(error.wire !== null && error.wire !== undefined, "has a wire number");
      return true;
    });
  });
}

test("every refusal of a command has its code", () => {
  const { a, b } = joined();
  const bytes = a.set.open(0)!;
  const messages = a.set.open(4)!;
  const rows: [string, () => unknown][] = [
    ["CONFIG", () => a.set.open(1)],
    ["CONFIG", () => a.set.open(3)],
    ["CONFIG", () => a.set.open(0, 1001)],
    ["CONFIG", () => a.set.open(0, 0.5)],
    ["CONFIG", () => a.set.setPriority(bytes, -1)],
    ["CONFIG", () => a.set.reset(bytes, -1)],
    ["CONFIG", () => a.set.stop(bytes, 2 ** 53)],
    ["CONFIG", () => a.set.writeMessage(bytes, pattern(1))],
    ["CONFIG", () => a.set.write(messages, pattern(1))],
    ["CONFIG", () => a.set.read(messages)],
    ["CONFIG", () => a.set.readMessage(bytes)],
    ["CONFIG", () => a.set.readSegment(bytes)],
    ["CONFIG", () => a.set.giveUpSegment(bytes, 0)],
    ["CONFIG", () => a.set.setTarget(bytes, 0.5)],
    ["STREAM_CLOSED", () => a.set.write(99, pattern(1))],
    ["STREAM_CLOSED", () => a.set.read(99)],
    ["STREAM_CLOSED", () => a.set.finish(99)],
    ["STREAM_CLOSED", () => a.set.reset(99, 0)],
    ["STREAM_CLOSED", () => a.set.stop(99, 0)],
  ];
  for (const [code, command] of rows) assert.throws(command, { code }, command.toString());
  a.set.finish(bytes);
  assert.throws(() => a.set.write(bytes, pattern(1)), { code: "STREAM_CLOSED" });
  assert.throws(() => a.set.finish(bytes), { code: "STREAM_CLOSED" });
  a.set.reset(messages, 0x101);
  assert.throws(() => a.set.writeMessage(messages, pattern(1)), { code: "STREAM_CLOSED" });
  a.set.stop(messages, 0x101);
  assert.throws(() => a.set.readMessage(messages), { code: "STREAM_CLOSED" });
  settle(a, b);
});

test("before the peer's limits are known nothing opens and nothing is sent", () => {
  const side = new Side({ role: "initiator" });
  assert.equal(side.set.open(0), undefined);
  assert.equal(side.set.hasData() || side.set.hasControl(), false);
  side.set.setPeerLimits(LIMITS);
  assert.deepEqual(side.drain(), [{ type: "streams" }]);
  assert.equal(side.set.open(0), 1);
});

test("after destroy every command throws the error, and input changes nothing", () => {
  const { a, b } = joined();
  a.set.open(0);
  a.set.write(1, pattern(5000));
  settle(a, b);
  const error = new Error("gone") as never;
  b.set.destroy(error);
  assert.throws(() => b.set.read(1), error);
  assert.throws(() => b.set.open(0), error);
  assert.throws(() => b.set.write(1, pattern(1)), error);
  b.set.onData(3, 0, 0, 0, pattern(1), 0);
  b.set.onReset(5, 0, 0, 0);
  b.set.onFlowCredit(0, 1e9);
  b.set.onGap(7, 0, 5);
  assert.equal(b.set.nextEvent(), undefined);
  assert.equal(b.set.hasData() || b.set.hasControl(), false);
  assert.equal(b.set.isIdle(), true);
  assert.equal(b.set.stats().open + b.set.stats().recvBuffered, 0);
});
