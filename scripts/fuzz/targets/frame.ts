/** Single frames (SPEC 3). @module */
import { decodeExactFrame, decodeFrame, encodeFrame } from "../../../src/codec/frame.ts";
import { decodeFrameNaive, encodeFrameNaive } from "../../../src/codec/frame_naive.ts";
import { toHex } from "../../../src/codec/hex.ts";
import { FRAME_MAX_BODY } from "../../../src/constants.ts";
import { SttError } from "../../../src/errors.ts";
import { agreed, verdict } from "../differential.ts";
import { mutateWith } from "../mutate_bytes.ts";
import { mutateFrame } from "../mutate_values.ts";
import { oracle, type Target } from "../target.ts";
import { vectorBytes } from "../vector_inputs.ts";

function run(bytes: Uint8Array): string {
  const answer = verdict(agreed({ op: "frame.decode", hex: toHex(bytes) }));
  compareNaive(bytes, answer);
  if (answer !== "ok") return answer;
  const { frame, size } = decodeFrame(bytes);
  const again = encodeFrame(frame);
  oracle(toHex(again) === toHex(bytes.subarray(0, size)), "it does not encode to the same bytes");
  oracle(toHex(again) === toHex(Uint8Array.from(encodeFrameNaive(frame))), "the slow twin differs");
  oracle(exact(bytes) === (size === bytes.length ? "ok" : "FRAME_TRAILING"), "decodeExactFrame");
  // A limit at the body's length changes nothing, and one below refuses.
  const body = size - 2 - (size > 16_387 + 3 ? 3 : size > 131 ? 2 : 1);
  oracle(decodeFrame(bytes, { maxBody: body }).size === size, "a limit that it keeps");
  oracle(code(() => decodeFrame(bytes, { maxBody: body - 1 })) !== "ok", "a limit that it breaks");
  return `type ${frame.type > 127 ? "custom" : Math.min(frame.type, 6)}`;
}

function exact(bytes: Uint8Array): string {
  return code(() => decodeExactFrame(bytes));
}

function code(act: () => unknown): string {
  try {
    act();
    return "ok";
  } catch (error) {
    if (error instanceof SttError) return error.code;
    throw error;
  }
}

function compareNaive(bytes: Uint8Array, answer: string): void {
  const naive = code(() => decodeFrameNaive([...bytes], FRAME_MAX_BODY));
  oracle(naive === answer, () => `src says ${answer}, the slow twin ${naive}`);
}

export const frame: Target = {
  name: "frame",
  exact: true,
  maxBytes: 1024,
  seeds: () => vectorBytes("frame", "frame.decode", "hex", 1024),
  mutate: (input, other, prng) =>
    prng.chance(0.4) ? mutateFrame(input, prng) : mutateWith(input, other, prng),
  run,
};
