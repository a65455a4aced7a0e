import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MessageScanner } from "./message_framing.ts";
import { PieceBudget } from "./piece.ts";
import { Reassembly } from "./reassembly.ts";
import { pattern } from "./stream_pipe_test.ts";

const SIZE = 6000;
const BYTES = pattern(SIZE);

function drain(body: Reassembly): number[] {
  const all: number[] = [];
  for (let part = body.read(700); part !== undefined; part = body.read(700)) all.push(...part);
  return all;
}

test("pieces in any order, overlapping and repeated, give every byte once", () => {
  const piece = fc.tuple(
    fc.integer({ min: 0, max: SIZE - 1 }),
    fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 2000 })),
    fc.boolean(),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      const budget = new PieceBudget(1e6);
      const body = new Reassembly(budget);
      const held = new Set<number>();
      const read: number[] = [];
      for (const [offset, length, readNow] of [...pieces, [0, SIZE, true] as const]) {
        const end = Math.min(SIZE, offset + length);
        for (let at = Math.max(offset, read.length); at < end; at++) held.add(at);
        body.insert(offset, BYTES.slice(offset, end));
        assert.equal(body.bufferedBytes, held.size, "no byte is kept twice");
        if (!readNow) continue;
        read.push(...drain(body));
        for (const at of held) if (at < read.length) held.delete(at);
      }
      assert.deepEqual(Uint8Array.from(read), BYTES);
      assert.equal(body.bufferedBytes, 0);
      body.clear();
      assert.equal(budget.held, 0, "the budget is given back");
    }),
    { numRuns: 200 },
  );
});

test("one-byte pieces, neighbours or not, keep no foreign buffer alive and stay countable", () => {
  const budget = new PieceBudget(1000);
  const body = new Reassembly(budget);
  const views: Uint8Array[] = [];
  for (let at = 0; at < 20_000; at++) {
    const buffer = new Uint8Array(65_536);
    buffer[0] = at & 0xff;
    body.insert(at, buffer.subarray(0, 1));
  }
  assert.ok(budget.held < 20, `${budget.held} pieces for 20 000 neighbours`);
  for (let part = body.read(1e6); part !== undefined; part = body.read(1e6)) views.push(part);
  assert.ok(views.every((view) => view.buffer.byteLength <= 4096));
  assert.equal(views.reduce((sum, view) => sum + view.length, 0), 20_000);

  assert.throws(() => {
    for (let at = 20_001; at < 30_000; at += 2) body.insert(at, Uint8Array.of(1));
  }, { code: "PROTOCOL" });
  assert.ok(budget.held <= 1002);
});

test("a large piece that is most of its buffer is kept as it is; a small part of one is copied", () => {
  const body = new Reassembly(new PieceBudget(10));
  const whole = pattern(2000);
  body.insert(0, whole);
  assert.equal(body.read(1e6)!.buffer, whole.buffer);
  const part = new Uint8Array(65_536).subarray(0, 2000);
  body.insert(2000, part);
  assert.equal(body.read(1e6)!.buffer.byteLength, 2000);
});

test("gaps are read in their place; bytes that came before the gap stay", () => {
  const body = new Reassembly(new PieceBudget(100));
  body.insert(16_384, pattern(100));
  body.insertGap(16_000, 800);
  assert.equal(body.hasSegment(undefined), false);
  body.insert(0, pattern(16_000));
  assert.deepEqual(body.readSegment(undefined), { offset: 0, data: pattern(16_000) });
  assert.deepEqual(body.readSegment(undefined), { offset: 16_000, gap: 384 });
  assert.deepEqual(body.readSegment(undefined), { offset: 16_384, data: pattern(100) });
  assert.deepEqual(body.readSegment(undefined), { offset: 16_484, gap: 316 });
  assert.equal(body.readSegment(undefined), undefined);
  body.insert(16_800, pattern(10));
  assert.equal(body.readSegment(undefined), undefined, "a segment is read whole");
  assert.deepEqual(body.readSegment(16_810), { offset: 16_800, data: pattern(10) });
});

test("messages are read across pieces, and from one piece without a copy", () => {
  const scanner = new MessageScanner(10_000);
  const body = new Reassembly(new PieceBudget(100), scanner);
  const frame = Uint8Array.of(0xe8, 0x07, ...pattern(1000), 0, 3, 7, 8, 9);
  body.insert(0, frame.slice(0, 1));
  body.insert(600, frame.slice(600));
  assert.equal(scanner.complete, 0);
  body.insert(1, frame.slice(1, 700));
  assert.equal(scanner.complete, 3);
  assert.deepEqual(body.readMessage(), pattern(1000));
  assert.deepEqual(body.readMessage(), new Uint8Array(0));
  assert.deepEqual(body.readMessage(), Uint8Array.of(7, 8, 9));
  body.insert(frame.length, frame);
  assert.equal(body.readMessage().buffer, frame.buffer);
});

test("a stream that was read as far as it came holds nothing, and goes on where it stood", () => {
  const budget = new PieceBudget(1e6);
  const body = new Reassembly(budget);
  body.insert(0, BYTES.subarray(0, 100));
  assert.equal(budget.held > 0, true);
  assert.deepEqual(drain(body), [...BYTES.subarray(0, 100)]);
  assert.equal(budget.held, 0);
  assert.equal(body.contiguousEnd, 100);
  assert.equal(body.heldFrom, 100);
  // Late repeats of what was read, a hole, and what fills it.
  body.insert(50, BYTES.subarray(50, 90));
  assert.equal(body.read(700), undefined);
  body.insert(200, BYTES.subarray(200, 300));
  assert.equal(body.contiguousEnd, 100);
  assert.equal(body.read(700), undefined);
  body.insert(80, BYTES.subarray(80, 220));
  assert.equal(body.contiguousEnd, 300);
  assert.deepEqual(drain(body), [...BYTES.subarray(100, 300)]);
  assert.equal(budget.held, 0);
  assert.equal(body.bufferedBytes, 0);
});

test("messages and segments go on after a rest as well", () => {
  const messages = new Reassembly(new PieceBudget(1e6), new MessageScanner(1000));
  for (const at of [0, 4, 8]) {
    messages.insert(at, Uint8Array.of(3, at, at, at));
    assert.deepEqual([...messages.readMessage()], [at, at, at]);
  }
  const segments = new Reassembly(new PieceBudget(1e6));
  segments.insert(0, BYTES.subarray(0, 10));
  assert.equal(segments.readSegment(undefined), undefined, "it is not whole yet");
  assert.equal(segments.insertGap(10, 16_374), 16_374);
  assert.deepEqual(segments.readSegment(undefined), { offset: 0, data: BYTES.slice(0, 10) });
  assert.deepEqual(segments.readSegment(undefined), { offset: 10, gap: 16_374 });
  segments.insert(16_384, BYTES.subarray(0, 5));
  assert.deepEqual(segments.readSegment(16_389), { offset: 16_384, data: BYTES.slice(0, 5) });
});
