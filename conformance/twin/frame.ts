/** SPEC 3, spelled out. @module */
import { bigEndian, concat, hex, readBigEndian, Refusal, unhex } from "./bytes.ts";
import { type DecodedVarint, decodeVarint, decodeVarintLax, encodeVarint } from "./varint.ts";

export const MAX_BODY: number = 2 * 1024 * 1024;

/** A frame in the notation of the data files; 64-bit fields are decimal strings, absent metadata is null. */
export interface FrameFields {
  readonly frame_type: number;
  readonly flags: number;
  readonly session_id: string;
  readonly sequence: string;
  readonly timestamp: string;
  readonly stream_id: number;
  readonly crypto_metadata: string | null;
  readonly payload: string;
}

export function encodeFrame(frame: FrameFields): Uint8Array {
  const body = frameBody(frame);
  if (body.length > MAX_BODY) throw new Refusal("FRAME_TOO_LARGE");
  return withLength(body);
}

/** The reference's encoding without its own limit, for data that show frames over 2 MiB. */
export function encodeFrameUnlimited(frame: FrameFields): Uint8Array {
  return withLength(frameBody(frame));
}

function withLength(body: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(0x53, 0x54), encodeVarint(BigInt(body.length)), body);
}

function frameBody(frame: FrameFields): Uint8Array {
  const session = unhex(frame.session_id);
  if (session.length !== 8) throw new Refusal("FRAME_FIELD");
  const metadata = unhex(frame.crypto_metadata ?? "");
  return concat(
    field(BigInt(frame.frame_type), 1),
    field(BigInt(frame.flags), 1),
    session,
    field(BigInt(frame.sequence), 8),
    field(BigInt(frame.timestamp), 8),
    field(BigInt(frame.stream_id), 4),
    encodeVarint(BigInt(metadata.length)),
    metadata,
    unhex(frame.payload),
  );
}

function field(value: bigint, width: number): Uint8Array {
  if (value < 0n || value >= 2n ** BigInt(8 * width)) throw new Refusal("FRAME_FIELD");
  return bigEndian(value, width);
}

export interface DecodedFrame {
  readonly frame: FrameFields;
  readonly consumed: number;
  /** The 30 bytes from the type to the stream id. */
  readonly header: Uint8Array;
  /** Every byte before the payload: the associated data of a protected frame. */
  readonly associated: Uint8Array;
}

/** The frame at the start of `bytes`; what follows is left alone. */
export function decodeFrame(bytes: Uint8Array, maxBody: number = MAX_BODY): DecodedFrame {
  if (bytes.length > 0 && bytes[0] !== 0x53) throw new Refusal("FRAME_MAGIC");
  if (bytes.length > 1 && bytes[1] !== 0x54) throw new Refusal("FRAME_MAGIC");
  if (bytes.length < 3) throw new Refusal("FRAME_INCOMPLETE");
  const length = bodyLength(bytes);
  if (length.value > BigInt(maxBody)) throw new Refusal("FRAME_TOO_LARGE");
  if (length.value < 31n) throw new Refusal("FRAME_TOO_SMALL");
  const start = 2 + length.size;
  const end = start + Number(length.value);
  const body = bytes.subarray(start, end);
  const cut = bytes.length < end;
  let size: DecodedVarint;
  try {
    size = decodeVarint(body, 30);
  } catch (error) {
    // SPEC 3: refuse at the first wrong byte, but a length that is only cut is not wrong yet.
    const missing = cut && error instanceof Refusal && error.code === "VARINT_INCOMPLETE";
    throw new Refusal(missing ? "FRAME_INCOMPLETE" : "FRAME_METADATA_LENGTH");
  }
  const metadataStart = 30 + size.size;
  if (BigInt(metadataStart) + size.value > length.value) {
    throw new Refusal("FRAME_METADATA_OVERRUN");
  }
  if (cut) throw new Refusal("FRAME_INCOMPLETE");
  const payloadStart = metadataStart + Number(size.value);
  return {
    frame: fieldsOf(body, body.subarray(metadataStart, payloadStart), body.subarray(payloadStart)),
    consumed: end,
    header: body.subarray(0, 30),
    associated: bytes.subarray(0, start + payloadStart),
  };
}

function bodyLength(bytes: Uint8Array): DecodedVarint {
  // SPEC 1: a frame length whose fourth byte still continues is refused at once.
  if ([2, 3, 4, 5].every((i) => (bytes[i] ?? 0) >= 0x80)) throw new Refusal("FRAME_LENGTH");
  try {
    return decodeVarint(bytes, 2);
  } catch (error) {
    const incomplete = error instanceof Refusal && error.code === "VARINT_INCOMPLETE";
    throw new Refusal(incomplete ? "FRAME_INCOMPLETE" : "FRAME_LENGTH");
  }
}

function fieldsOf(body: Uint8Array, metadata: Uint8Array, payload: Uint8Array): FrameFields {
  return {
    frame_type: body[0] as number,
    flags: body[1] as number,
    session_id: hex(body.subarray(2, 10)),
    sequence: readBigEndian(body.subarray(10, 18)).toString(),
    timestamp: readBigEndian(body.subarray(18, 26)).toString(),
    stream_id: Number(readBigEndian(body.subarray(26, 30))),
    crypto_metadata: metadata.length === 0 ? null : hex(metadata),
    payload: hex(payload),
  };
}

/** What the Python reference makes of the same bytes: no limit, and metadata lengths read past the end of the frame. */
export function decodeFrameLax(bytes: Uint8Array): DecodedFrame {
  if (bytes[0] !== 0x53 || bytes[1] !== 0x54) throw new Refusal("FRAME_MAGIC");
  const length = decodeVarintLax(bytes, 2);
  if (length.value < 30n) throw new Refusal("FRAME_TOO_SMALL");
  const start = 2 + length.size;
  if (BigInt(start) + length.value > BigInt(bytes.length)) throw new Refusal("FRAME_INCOMPLETE");
  const end = start + Number(length.value);
  const size = decodeVarintLax(bytes, start + 30);
  const metadataStart = start + 30 + size.size;
  if (size.value > 0n && BigInt(metadataStart) + size.value > BigInt(end)) {
    throw new Refusal("FRAME_METADATA_OVERRUN");
  }
  const payloadStart = metadataStart + Number(size.value);
  const payload = bytes.subarray(Math.min(payloadStart, end), end);
  return {
    frame: fieldsOf(bytes.subarray(start), bytes.subarray(metadataStart, payloadStart), payload),
    consumed: end,
    header: bytes.subarray(start, start + 30),
    associated: bytes.subarray(0, payloadStart),
  };
}

/** All frames of a byte stream, and the refusal at which it stops, if any. */
export function splitFrames(
  bytes: Uint8Array,
  maxBody: number = MAX_BODY,
): { frames: string[]; refused?: string; pending: number } {
  const frames: string[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    try {
      const found = decodeFrame(bytes.subarray(offset), maxBody);
      frames.push(hex(bytes.subarray(offset, offset + found.consumed)));
      offset += found.consumed;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (error.code === "FRAME_INCOMPLETE") break;
      return { frames, refused: error.code, pending: 0 };
    }
  }
  return { frames, pending: bytes.length - offset };
}
