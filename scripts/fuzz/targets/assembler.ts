/** Byte streams of frames, cut anywhere (SPEC 4). The first four bytes of an input say where. @module */
import { FrameAssembler } from "../../../src/codec/frame_assembler.ts";
import { decodeFrame } from "../../../src/codec/frame.ts";
import { toHex } from "../../../src/codec/hex.ts";
import { SttError } from "../../../src/errors.ts";
import { Prng } from "../../../src/testing/prng.ts";
import { agreed } from "../differential.ts";
import { mutateWith, spliced } from "../mutate_bytes.ts";
import { mutateFrame } from "../mutate_values.ts";
import { oracle, type Target } from "../target.ts";
import { vectorBytes, vectorRequests } from "../vector_inputs.ts";

const HEAD_BYTES = 4;
const LIMITS: [number, ...number[]] = [65_536, 2_097_152, 64, 1200];
/** What the assembler may hold beyond a frame: it grows by four times what came, from so much on. */
const SMALL_BYTES = 1024;

interface Cut {
  readonly frames: string[];
  readonly error: string | undefined;
  readonly pending: number;
}

function run(input: Uint8Array): string {
  const [a = 0, b = 0, c = 0, d = 0] = input;
  const prng = new Prng(a << 24 | b << 16 | c << 8 | d);
  const stream = input.slice(HEAD_BYTES);
  const maxBody = prng.pick(LIMITS);
  const chunks = cut(stream, prng);
  const expected = whole(stream, maxBody);
  const plain = assemble(chunks, maxBody, false);
  for (const one of [plain, assemble(chunks, maxBody, true), assemble([stream], maxBody, false)]) {
    oracle(one.frames.join() === expected.frames.join(), "other frames than one after the other");
    oracle(one.error === expected.error, () => `${one.error}, alone ${expected.error}`);
    oracle(one.pending === expected.pending, () => `${one.pending} left, not ${expected.pending}`);
  }
  agreed({ op: "frame.assemble", chunks: chunks.map((chunk) => toHex(chunk)), max_body: maxBody });
  return `${Math.min(expected.frames.length, 4)} frames, ${expected.error ?? expected.pending > 0}`;
}

function cut(stream: Uint8Array, prng: Prng): Uint8Array[] {
  const most = prng.pick([1, 2, 7, 40, 2000]);
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < stream.length;) {
    const size = prng.integer(0, most) || most;
    // A copy, so that a frame put together from chunks cannot look right by chance.
    chunks.push(stream.slice(at, at + size));
    at += size;
  }
  return chunks;
}

/** Frame by frame, without an assembler. */
function whole(stream: Uint8Array, maxBody: number): Cut {
  const frames: string[] = [];
  for (let offset = 0;;) {
    if (offset === stream.length) return { frames, error: undefined, pending: 0 };
    try {
      const { size } = decodeFrame(stream, { offset, maxBody });
      frames.push(toHex(stream.subarray(offset, offset + size)));
      offset += size;
    } catch (error) {
      if (!(error instanceof SttError)) throw error;
      const open = error.code === "FRAME_INCOMPLETE";
      return {
        frames,
        error: open ? undefined : error.code,
        pending: open ? stream.length - offset : 0,
      };
    }
  }
}

function assemble(chunks: readonly Uint8Array[], maxBody: number, reuse: boolean): Cut {
  const assembler = new FrameAssembler(maxBody);
  assembler.reuse = reuse;
  const frames: string[] = [];
  let given = 0;
  try {
    for (const chunk of chunks) {
      given += chunk.length;
      assembler.push(chunk);
      for (let one = assembler.next(); one !== undefined; one = assembler.next()) {
        frames.push(toHex(one));
      }
      const held = assembler.bufferedBytes;
      oracle(held <= Math.min(given, maxBody + 6 + SMALL_BYTES), () => `${held} bytes are held`);
    }
  } catch (error) {
    if (!(error instanceof SttError)) throw error;
    oracle(assembler.bufferedBytes === 0, "bytes are held behind a refusal");
    return { frames, error: error.code, pending: 0 };
  }
  return { frames, error: undefined, pending: assembler.bufferedBytes };
}

function seeds(): Uint8Array[] {
  const streams = vectorRequests("frame", "frame.assemble")
    .map(({ chunks }) => (chunks as string[]).join("")).filter((hex) => hex.length <= 4000)
    .map((hex) => Uint8Array.from((hex.match(/../g) ?? []).map((byte) => parseInt(byte, 16))));
  return [...streams, ...vectorBytes("frame", "frame.decode", "hex", 500)]
    .map((stream, index) => spliced(stream, 0, 0, Uint8Array.of(0, 0, index >> 8, index & 255)));
}

export const assembler: Target = {
  name: "assembler",
  exact: true,
  maxBytes: 4096,
  seeds,
  mutate(input, other, prng) {
    if (prng.chance(0.15)) return spliced(input, 0, HEAD_BYTES, prng.bytes(HEAD_BYTES));
    const head = input.slice(0, HEAD_BYTES);
    const stream = input.slice(HEAD_BYTES);
    const foreign = other.slice(HEAD_BYTES);
    if (prng.chance(0.2)) return spliced(input, input.length, 0, foreign);
    if (prng.chance(0.3)) return spliced(mutateFrame(stream, prng), 0, 0, head);
    return spliced(mutateWith(stream, foreign, prng), 0, 0, head);
  },
  run,
};
