import assert from "node:assert/strict";
import { test } from "node:test";
import type { SttStream } from "../stt_stream.ts";
import { BlockStream } from "./block_stream.ts";

/** A stream on which `turns` arrive, each a list of chunks that lie ready together. */
function streamOf(turns: readonly (readonly Uint8Array[])[]): BlockStream {
  const left = turns.map((turn) => [...turn]);
  const tryRead = (max = Infinity): Uint8Array | null | undefined => {
    const turn = left[0];
    if (turn === undefined) return null;
    const chunk = turn.shift();
    if (chunk === undefined) {
      left.shift();
      return left.length === 0 ? null : undefined;
    }
    if (chunk.length > max) turn.unshift(chunk.subarray(max));
    return chunk.subarray(0, max);
  };
  const read = (): Promise<Uint8Array | null> => {
    let chunk = tryRead();
    while (chunk === undefined) chunk = tryRead();
    return Promise.resolve(chunk);
  };
  return new BlockStream({ tryRead, read } as unknown as SttStream, undefined);
}

async function chunksOf(stream: BlockStream): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  for (let chunk; (chunk = await stream.bytes(1_048_576)) !== null;) chunks.push(chunk);
  return chunks;
}

function numbered(from: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => from + index);
}

test("chunks that lie ready come together, in order, and no more than 64 KiB of them", async () => {
  const packets = Array.from({ length: 60 }, (_, index) => numbered(index, 1400));
  const chunks = await chunksOf(streamOf([packets, [numbered(60, 10), numbered(61, 10)]]));
  assert.deepEqual(chunks.map(({ length }) => length), [65_536, 60 * 1400 - 65_536, 20]);
  const whole = Uint8Array.from(chunks.flatMap((chunk) => [...chunk]));
  const sent = [...packets, numbered(60, 10), numbered(61, 10)].flatMap((packet) => [...packet]);
  assert.deepEqual(whole, Uint8Array.from(sent));
});

test("a large chunk is not copied, and a kept one keeps at most four times its size", async () => {
  const large = new Uint8Array(40_000);
  const [first] = await chunksOf(streamOf([[large, numbered(0, 10)]]));
  assert.equal(first!.buffer, large.buffer);
  for (const size of [1, 600, 9000, 20_000]) {
    const chunks = await chunksOf(streamOf([[numbered(0, 1), numbered(1, size)]]));
    assert.deepEqual(chunks.map(({ length }) => length), [1 + size]);
    assert.ok(chunks[0]!.buffer.byteLength <= 4 * (1 + size), `${size}`);
  }
});
