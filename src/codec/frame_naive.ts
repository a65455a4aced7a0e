import { type ErrorCode, SttError } from "../errors.ts";
import type { Frame } from "./frame.ts";
import { decodeVarintNaive, encodeVarintNaive } from "./varint_naive.ts";

/** The obvious frame codec: what frame.ts must agree with. For tests only. */
export function encodeFrameNaive(frame: Frame): number[] {
  const body = [
    frame.type,
    frame.flags,
    ...frame.sessionId,
    ...big(frame.sequence, 8),
    ...big(frame.timestamp, 8),
    ...big(frame.streamId, 4),
    ...encodeVarintNaive(BigInt(frame.metadata.length)),
    ...frame.metadata,
    ...frame.payload,
  ];
  return [0x53, 0x54, ...encodeVarintNaive(BigInt(body.length)), ...body];
}

/** The frame and the bytes behind it; throws the code of the refusal. */
export function decodeFrameNaive(
  bytes: number[],
  maxBody: number,
): { frame: Frame; rest: number[] } {
  for (const [index, magic] of [0x53, 0x54].entries()) {
    if (index < bytes.length && bytes[index] !== magic) refuse("FRAME_MAGIC");
  }
  if (bytes.length < 2) refuse("FRAME_INCOMPLETE");
  const length = decodeVarintNaive(bytes.slice(2, 6));
  const open = bytes.slice(2, 6).every((byte) => byte > 127);
  if (open && bytes.length < 6) refuse("FRAME_INCOMPLETE");
  if (typeof length === "string") return refuse("FRAME_LENGTH");
  if (length.value < 31n) refuse("FRAME_TOO_SMALL");
  if (length.value > BigInt(maxBody)) refuse("FRAME_TOO_LARGE");
  const body = bytes.slice(2 + length.size, 2 + length.size + Number(length.value));
  const missing = Number(length.value) - body.length;
  const metadataLength = decodeVarintNaive(body.slice(30));
  if (metadataLength === "VARINT_INCOMPLETE" && missing > 0) return refuse("FRAME_INCOMPLETE");
  if (typeof metadataLength === "string") return refuse("FRAME_METADATA_LENGTH");
  const metadataStart = 30 + metadataLength.size;
  const payloadStart = BigInt(metadataStart) + metadataLength.value;
  if (payloadStart > length.value) refuse("FRAME_METADATA_OVERRUN");
  if (missing > 0) refuse("FRAME_INCOMPLETE");
  const frame: Frame = {
    type: body[0] as number,
    flags: body[1] as number,
    sessionId: new Uint8Array(body.slice(2, 10)),
    sequence: unsigned(body.slice(10, 18)),
    timestamp: unsigned(body.slice(18, 26)),
    streamId: Number(unsigned(body.slice(26, 30))),
    metadata: new Uint8Array(body.slice(metadataStart, Number(payloadStart))),
    payload: new Uint8Array(body.slice(Number(payloadStart))),
  };
  return { frame, rest: bytes.slice(2 + length.size + body.length) };
}

function big(value: number | bigint, size: number): number[] {
  const hex = BigInt(value).toString(16).padStart(size * 2, "0");
  return Array.from(
    { length: size },
    (_, index) => parseInt(hex.slice(index * 2, index * 2 + 2), 16),
  );
}

function unsigned(bytes: number[]): number | bigint {
  const value = bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  return value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}

function refuse(code: ErrorCode): never {
  throw new SttError(code, "cannot decode frame");
}
