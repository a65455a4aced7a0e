import { test } from "node:test";
import assert from "node:assert/strict";
import { Prng } from "./prng.ts";
import { SimulatedPipe } from "./simulated_pipe.ts";

function drain(pipe: SimulatedPipe, side: "a" | "b", nowMs: number): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let c = pipe.read(side, nowMs); c !== undefined; c = pipe.read(side, nowMs)) chunks.push(c);
  return chunks;
}

test("pipe: whole writes arrive after the delay, each way by itself", () => {
  const pipe = new SimulatedPipe({ delayMs: 10, bToA: { delayMs: 3 } });
  pipe.write("a", new Uint8Array([1, 2]), 0);
  pipe.write("a", new Uint8Array([3]), 4);
  pipe.write("b", new Uint8Array([9]), 0);
  pipe.write("b", new Uint8Array(0), 0);
  assert.equal(pipe.nextArrival(), 3);
  assert.equal(pipe.nextArrival("b"), 10);
  assert.deepEqual(drain(pipe, "a", 3), [new Uint8Array([9])]);
  assert.deepEqual(drain(pipe, "b", 9.9), []);
  assert.deepEqual(drain(pipe, "b", 10), [new Uint8Array([1, 2])]);
  assert.equal(pipe.nextArrival(), 14);
  assert.deepEqual(drain(pipe, "b", 99), [new Uint8Array([3])]);
  assert.equal(pipe.nextArrival(), undefined);
});

test("pipe: the writer may reuse its buffer", () => {
  const pipe = new SimulatedPipe();
  const bytes = new Uint8Array([1]);
  pipe.write("a", bytes, 0);
  bytes[0] = 2;
  assert.deepEqual(drain(pipe, "b", 0), [new Uint8Array([1])]);
});

test("pipe: any chunking keeps every byte in order", () => {
  const source = new Prng(5).bytes(20_000);
  for (const chunking of ["whole", "random", 1, 7, 1000] as const) {
    const pipe = new SimulatedPipe({ chunking, seed: 3 });
    for (let at = 0; at < source.length; at += 777) {
      pipe.write("a", source.subarray(at, at + 777), 0);
    }
    const chunks = drain(pipe, "b", 0);
    assert.deepEqual(Uint8Array.from(chunks.flatMap((c) => [...c])), source);
    if (typeof chunking === "number") assert.equal(chunks[0]?.length, chunking);
    if (chunking === "whole") assert.equal(chunks.length, Math.ceil(20_000 / 777));
    if (chunking === "random") assert.ok(chunks.some((c) => c.length > 777), "writes are joined");
  }
});

test("pipe: the rate spaces writes, and what waits is told", () => {
  const pipe = new SimulatedPipe({ bytesPerSecond: 1000, delayMs: 5 });
  pipe.write("a", new Uint8Array(100), 0);
  pipe.write("a", new Uint8Array(100), 0);
  assert.equal(pipe.queuedBytes("a", 0), 200);
  assert.equal(pipe.queuedBytes("a", 150), 50);
  assert.equal(pipe.queuedBytes("a", 1000), 0);
  assert.equal(pipe.nextArrival(), 105);
  assert.equal(drain(pipe, "b", 105).length, 1);
  assert.equal(pipe.nextArrival(), 205);
});

test("pipe: an end arrives behind the bytes", () => {
  const pipe = new SimulatedPipe({ delayMs: 10 });
  pipe.write("a", new Uint8Array([1]), 0);
  pipe.end("a", 0);
  pipe.write("a", new Uint8Array([2]), 0);
  assert.equal(pipe.ended("b", 10), false);
  assert.deepEqual(drain(pipe, "b", 10), [new Uint8Array([1])]);
  assert.equal(pipe.ended("b", 10), true);
  assert.equal(pipe.ended("a", 10), false);
  assert.equal(pipe.nextArrival(), undefined);
  assert.equal(pipe.error, undefined);
});

test("pipe: cut after n bytes, and by hand", () => {
  const pipe = new SimulatedPipe({ aToB: { cutAfter: 5 } });
  pipe.write("a", new Uint8Array([1, 2, 3]), 0);
  pipe.write("a", new Uint8Array([4, 5, 6]), 0);
  pipe.write("b", new Uint8Array([7]), 0);
  assert.deepEqual(drain(pipe, "b", 0), [new Uint8Array([1, 2, 3]), new Uint8Array([4, 5])]);
  assert.equal(pipe.ended("b", 0) && pipe.ended("a", 0), true);
  assert.deepEqual(drain(pipe, "a", 0), []);
  assert.equal(pipe.error?.code, "TRANSPORT");
  assert.equal(pipe.nextArrival(), undefined);
  pipe.write("b", new Uint8Array([7]), 0);

  const other = new SimulatedPipe();
  other.cut();
  assert.equal(other.ended("a", 0), true);
});

test("pipe: impossible options are refused", () => {
  for (const bad of [{ delayMs: -1 }, { bytesPerSecond: 0 }, { chunking: 0 }, { cutAfter: 0 }]) {
    assert.throws(() => new SimulatedPipe(bad), { code: "CONFIG" });
  }
});
