import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type ErrorCode, SttError } from "../errors.ts";
import { encodeFrame } from "./frame.ts";
import { FrameAssembler } from "./frame_assembler.ts";
import { fromHex, toHex } from "./hex.ts";

function frameOf(metadata: number, payload: number, fill = 0xab): Uint8Array {
  return encodeFrame({
    type: 1,
    flags: 0,
    sessionId: new Uint8Array(8),
    sequence: fill,
    timestamp: 0,
    streamId: 0,
    metadata: new Uint8Array(metadata).fill(0xcd),
    payload: new Uint8Array(payload).fill(fill),
  });
}

function concat(parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function drain(assembler: FrameAssembler): Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (let frame = assembler.next(); frame !== undefined; frame = assembler.next()) {
    frames.push(frame);
  }
  return frames;
}

/** Lengths of all arrays made while `run` runs. */
function allocations(run: () => void): number[] {
  const lengths: number[] = [];
  const original = globalThis.Uint8Array;
  globalThis.Uint8Array = new Proxy(original, {
    construct(target, args, newTarget): Uint8Array {
      if (typeof args[0] === "number") lengths.push(args[0]);
      return Reflect.construct(target, args, newTarget) as Uint8Array;
    },
  });
  try {
    run();
  } finally {
    globalThis.Uint8Array = original;
  }
  return lengths;
}

const stream = fc.array(
  fc.tuple(fc.constantFrom(0, 1, 127, 128, 300), fc.nat(400), fc.nat(255))
    .map(([metadata, payload, fill]) => frameOf(metadata, payload, fill)),
  { maxLength: 6 },
);

test("assembler: any frames in any chunks come back one by one", () => {
  fc.assert(
    fc.property(
      stream,
      fc.array(fc.nat(700), { minLength: 1 }),
      fc.boolean(),
      (frames, sizes, reuse) => {
        const bytes = concat(frames);
        const assembler = new FrameAssembler(2048);
        assembler.reuse = reuse;
        const got: Uint8Array[] = [];
        let pushed = 0;
        for (let turn = 0; pushed < bytes.length; turn++) {
          const size = Math.max(sizes[turn % sizes.length] as number, turn < 50 ? 0 : 1);
          assembler.push(bytes.subarray(pushed, pushed + size));
          pushed = Math.min(pushed + size, bytes.length);
          for (let next = assembler.next(); next !== undefined; next = assembler.next()) {
            got.push(reuse ? next.slice() : next);
          }
          const taken = got.reduce((sum, frame) => sum + frame.length, 0);
          assert.equal(assembler.bufferedBytes, pushed - taken);
          assert.equal(assembler.partial, pushed > taken);
          assert.ok(assembler.bufferedBytes < 2048 + 6, "holds less than one frame");
        }
        assert.deepEqual(got.map(toHex), frames.map(toHex));
        assert.equal(assembler.partial, false);
      },
    ),
    { numRuns: 300 },
  );
});

test("assembler: a frame inside one chunk is a view of it, a split one is not", () => {
  const frame = frameOf(1, 10);
  const chunk = concat([frame, frame, frame.subarray(0, 20)]);
  const assembler = new FrameAssembler(2048);
  assembler.push(chunk);
  const [first, second] = drain(assembler);
  assert.equal(first?.buffer, chunk.buffer);
  assert.equal(second?.buffer, chunk.buffer);
  chunk.fill(0);
  assembler.push(frame.subarray(20));
  assert.deepEqual(drain(assembler), [frame]);
});

test("assembler: with reuse, split frames share memory for as long as bytes keep coming", () => {
  const frame = frameOf(1, 10);
  const size = frame.length;
  const bytes = concat([frame, frame, frame, frame]);
  const assembler = new FrameAssembler(2048);
  assembler.reuse = true;
  const buffers: ArrayBufferLike[] = [];
  for (
    const [from, to] of [[0, 10], [10, size + 10], [size + 10, 2 * size], [2 * size, 3 * size]]
  ) {
    assembler.push(bytes.subarray(from, to));
    for (let next = assembler.next(); next !== undefined; next = assembler.next()) {
      assert.deepEqual(next, frame);
      buffers.push(next.buffer);
    }
  }
  assert.equal(buffers.length, 3);
  assert.equal(buffers[0], buffers[1]);
  assembler.push(bytes.subarray(0, 10));
  assert.equal(assembler.next(), undefined);
  assembler.push(bytes.subarray(10, size));
  assert.notEqual(assembler.next()!.buffer, buffers[1], "nothing is kept while the stream rests");
});

test("assembler: the first wrong byte is refused, with its place in the stream", () => {
  const good = frameOf(0, 5);
  const header = (length: string, metadata: string): string =>
    `5354${length}${"00".repeat(30)}${metadata}`;
  // The hex ends with the byte that proves it wrong.
  const cases: [string, ErrorCode, number][] = [
    ["00", "FRAME_MAGIC", 0],
    ["5355", "FRAME_MAGIC", 1],
    ["535480808080", "FRAME_LENGTH", 2],
    ["53549f00", "FRAME_LENGTH", 2],
    ["53541e", "FRAME_TOO_SMALL", 2],
    ["53548110", "FRAME_TOO_LARGE", 2],
    [header("32", "14"), "FRAME_METADATA_OVERRUN", 33],
    [header("32", "8000"), "FRAME_METADATA_LENGTH", 33],
    [header("32", "ff".repeat(10)), "FRAME_METADATA_LENGTH", 33],
    [header("1f", "80"), "FRAME_METADATA_LENGTH", 33],
  ];
  for (const [hex, code, at] of cases) {
    const wrong = fromHex(hex);
    for (const size of [1, 2, 7, 1000]) {
      const bytes = concat([good, wrong]);
      const assembler = new FrameAssembler(2048);
      const error = { code, offset: good.length + at };
      assert.throws(
        () => {
          for (let offset = 0; offset < bytes.length; offset += size) {
            assembler.push(bytes.subarray(offset, offset + size));
            drain(assembler);
          }
        },
        error,
        `${hex} in chunks of ${size}`,
      );
      // For good: a stream has no place to start again.
      assert.throws(() => assembler.push(good), error);
      assert.throws(() => assembler.next(), error);
      assert.equal(assembler.bufferedBytes, 0);
    }
    const early = new FrameAssembler(2048);
    early.push(wrong.subarray(0, -1));
    assert.deepEqual(drain(early), [], `${hex} is refused by its last byte`);
  }
});

test("assembler: a length alone takes no memory", () => {
  const lengths = allocations(() => {
    const assembler = new FrameAssembler(2_097_152);
    assembler.push(fromHex("535480808001"));
    assert.equal(assembler.next(), undefined);
    for (let sent = 0; sent < 100; sent++) {
      assembler.push(Uint8Array.of(0));
      assert.equal(assembler.next(), undefined);
    }
  });
  assert.ok(lengths.every((length) => length <= 1024), lengths.join());
});

test("assembler: memory follows the bytes that came, up to one frame", () => {
  const frame = frameOf(0, 2_000_000);
  const lengths = allocations(() => {
    const assembler = new FrameAssembler(2_097_152);
    let pushed = 0;
    while (pushed < frame.length) {
      assembler.push(frame.subarray(pushed, pushed + 16_384));
      pushed = Math.min(pushed + 16_384, frame.length);
      if (assembler.next() !== undefined) break;
      assert.equal(assembler.bufferedBytes, pushed);
    }
  });
  assert.ok(Math.max(...lengths) === frame.length);
  assert.ok(lengths.length < 8, `${lengths.length} allocations`);
});

test("assembler: a new limit holds from the next frame on", () => {
  const assembler = new FrameAssembler(64);
  assembler.push(concat([frameOf(0, 5), frameOf(0, 100), frameOf(0, 200)]));
  assert.equal(assembler.next()?.length, 39);
  assembler.maxBody = 150;
  assert.equal(assembler.next()?.length, 3 + 131 + 1);
  assert.throws(() => assembler.next(), { code: "FRAME_TOO_LARGE", limit: 150 });
});

test("assembler: chunks must be drained before the next", () => {
  const assembler = new FrameAssembler(2048);
  assembler.push(frameOf(0, 5));
  assert.throws(() => assembler.push(frameOf(0, 5)), { code: "INTERNAL" });
  assert.equal(drain(assembler).length, 1);
  assembler.push(new Uint8Array(0));
  assert.equal(assembler.next(), undefined);
});

test("assembler: random bytes only ever throw SttError", () => {
  const chunk = fc.oneof(
    fc.uint8Array({ maxLength: 50 }),
    fc.uint8Array({ maxLength: 50 }).map((tail) => Uint8Array.of(0x53, 0x54, ...tail)),
  );
  fc.assert(
    fc.property(fc.array(chunk), (chunks) => {
      const assembler = new FrameAssembler(100);
      try {
        for (const bytes of chunks) {
          assembler.push(bytes);
          for (const frame of drain(assembler)) assert.ok(frame.length <= 103);
        }
      } catch (error) {
        assert.ok(error instanceof SttError, String(error));
      }
    }),
    { numRuns: 1000 },
  );
});

test("assembler: a frame cut in its first bytes is judged like a whole one, whatever came before it", () => {
  const overrun = frameOf(0, 0);
  // The metadata claims 2 bytes, and the frame ends behind that length.
  overrun[overrun.length - 1] = 2;
  const bytes = concat([frameOf(0, 0), overrun]);
  for (let cut = 1; cut < bytes.length; cut++) {
    const assembler = new FrameAssembler(1000);
    assembler.push(bytes.slice(0, cut));
    drain(assembler);
    assert.throws(
      () => {
        assembler.push(bytes.slice(cut));
        drain(assembler);
      },
      { code: "FRAME_METADATA_OVERRUN" },
      `cut at ${cut}`,
    );
  }
});
