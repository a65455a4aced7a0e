import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../testing/prng.ts";
import { BLOCK_BYTES, BlockPool } from "./block_pool.ts";
import { SendBuffer } from "./send_buffer.ts";

function bytesOf(buffer: SendBuffer, start: number, end: number): number[] {
  const parts: Uint8Array[] = [];
  buffer.view(start, end, parts);
  return parts.flatMap((part) => [...part]);
}

function numbered(from: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (from + index) * 7 % 251);
}

test("copies and chunks taken over give the same bytes, whatever is released in between", () => {
  for (let seed = 1; seed <= 30; seed++) {
    const random = new Prng(seed);
    const below = (limit: number): number => random.integer(0, limit - 1);
    const buffer = new SendBuffer(new BlockPool());
    for (let step = 0; step < 60; step++) {
      const length = below(3) === 0 ? below(3 * BLOCK_BYTES) : below(300);
      const chunk = numbered(buffer.end, length);
      if (below(2) === 0) {
        buffer.copy(chunk);
        chunk.fill(255);
      } else {
        buffer.push(chunk);
      }
      const from = buffer.base + below(buffer.end - buffer.base + 1);
      const to = from + below(Math.min(buffer.end - from, 4096) + 1);
      assert.deepEqual(bytesOf(buffer, from, to), [...numbered(from, to - from)], `seed ${seed}`);
      if (below(3) === 0) {
        buffer.release(buffer.base + below(buffer.end - buffer.base + 1));
      }
      if (below(20) === 0) buffer.release(buffer.end);
    }
  }
});

test("a long transfer takes its blocks from those that are done with", () => {
  const pool = new BlockPool();
  const buffer = new SendBuffer(pool);
  const chunk = new Uint8Array(2 * BLOCK_BYTES);
  buffer.copy(chunk);
  const first: Uint8Array[] = [];
  buffer.view(0, 1, first);
  for (let round = 0; round < 100; round++) {
    buffer.release(buffer.end);
    assert.equal(pool.size, 2);
    buffer.copy(chunk);
    assert.equal(pool.size, 0);
  }
  const last: Uint8Array[] = [];
  buffer.view(buffer.base, buffer.base + 2 * BLOCK_BYTES, last);
  assert.ok(last.some((part) => part.buffer === first[0]!.buffer));
});

test("a quiet stream holds exact copies, and a session that rests keeps two blocks", () => {
  const pool = new BlockPool();
  const buffer = new SendBuffer(pool);
  buffer.copy(new Uint8Array(100));
  const parts: Uint8Array[] = [];
  buffer.view(0, 100, parts);
  assert.equal(parts[0]!.buffer.byteLength, 100);
  buffer.copy(new Uint8Array(10 * BLOCK_BYTES));
  buffer.clear();
  assert.equal(pool.size, 10);
  pool.rest();
  assert.equal(pool.size, 2);
});

test("small copies behind a backlog share a block", () => {
  const buffer = new SendBuffer(new BlockPool());
  buffer.copy(new Uint8Array(BLOCK_BYTES - 100));
  for (let count = 0; count < 10; count++) buffer.copy(numbered(buffer.end, 10));
  const parts: Uint8Array[] = [];
  buffer.view(BLOCK_BYTES - 100, BLOCK_BYTES, parts);
  assert.equal(parts.length, 1);
  assert.deepEqual([...parts[0]!], [...numbered(BLOCK_BYTES - 100, 100)]);
});
