import { FrameAssembler } from "../src/codec/frame_assembler.ts";
import { decodeFrame, encodeFrame } from "../src/codec/frame.ts";
import { decodeValue, encodeValue } from "../src/codec/values.ts";
import { decodeVarint, writeVarint } from "../src/codec/varint.ts";

const target = new Uint8Array(16);
const numbers = [0, 127, 128, 300, 16_384, 2_097_151, 4_294_967_296, 9_007_199_254_740_991];
const encoded = numbers.map((value) => {
  const bytes = new Uint8Array(10);
  return bytes.subarray(0, writeVarint(bytes, 0, value));
});

Deno.bench("varint: write 8 numbers", { group: "varint" }, () => {
  for (const value of numbers) writeVarint(target, 0, value);
});

Deno.bench("varint: read 8 numbers", { group: "varint" }, () => {
  for (const bytes of encoded) decodeVarint(bytes);
});

const message = {
  type: "HELLO",
  node_id: new Uint8Array(32),
  nonce: new Uint8Array(32),
  commitment: new Uint8Array(16),
  timestamp: 1_731_000_000_000,
  suites: [1, 2],
};
const value = encodeValue(message);

Deno.bench("value: encode a HELLO", { group: "value" }, () => void encodeValue(message));
Deno.bench("value: decode a HELLO", { group: "value" }, () => {
  decodeValue(value, { canonical: true });
});

const frame = {
  type: 3,
  flags: 0,
  sessionId: new Uint8Array(8),
  sequence: 1,
  timestamp: 0,
  streamId: 1,
  metadata: new Uint8Array(1),
  payload: new Uint8Array(1200),
};
const bytes = encodeFrame(frame);
const copy = new Uint8Array(bytes.length);

Deno.bench("frame: two copies of 1200 B, for comparison", { group: "frame" }, () => {
  copy.set(bytes);
  bytes.set(copy);
});
Deno.bench("frame: encode and decode 1200 B", { group: "frame", baseline: true }, () => {
  decodeFrame(encodeFrame(frame));
});
Deno.bench("frame: assemble 1200 B from one chunk", { group: "frame" }, () => {
  const assembler = new FrameAssembler(65_536);
  assembler.push(bytes);
  assembler.next();
});
