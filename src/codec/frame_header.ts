import {
  FRAME_FIXED_BYTES,
  FRAME_MAX_BODY,
  MAGIC_0,
  MAGIC_1,
  SESSION_ID_BYTES,
} from "../constants.ts";
import { SttError } from "../errors.ts";
import { decodeError } from "./decode_error.ts";
import { scanBodyLength, scanMetadataLength } from "./frame_layout.ts";
import { readU32, readU64Number, writeU32, writeU64Number } from "./u64.ts";
import { varintSize, writeVarint } from "./varint.ts";

/**
 * Most bytes that the header of a protected frame takes: magic 2, body length 4, fixed fields 30, metadata length 1,
 * epoch 8. A buffer with this room before its payload can always be sealed in place.
 */
export const FRAME_HEADROOM = 45;

const EMPTY: Uint8Array = new Uint8Array(0);

/**
 * The header of one frame, parsed in place. One object serves many frames: {@link parseFrameHeader} overwrites it.
 * Offsets are positions in the array that was parsed.
 */
export class FrameHeader {
  /** Frame type, 0 to 255. */
  type = 0;
  /** Header flags, 0 to 255. */
  flags = 0;
  /** First four bytes of the session id, as a number: with the other four a key that allocates nothing. */
  sessionIdHigh = 0;
  /** Last four bytes of the session id, as a number. */
  sessionIdLow = 0;
  /** Packet number, 0 to 2^53-1. */
  sequence = 0;
  /** Milliseconds, 0 to 2^53-1. */
  timestamp = 0;
  /** Stream id or channel, 0 to 2^32-1. */
  streamId = 0;
  /** Offset of the magic. */
  start = 0;
  /** Offset of the type byte. */
  bodyStart = 0;
  /** Offset of the metadata, behind its length. */
  metadataStart = 0;
  /** Offset behind the metadata. */
  metadataEnd = 0;
  /** Offset of the payload; the associated data is everything from `start` to here. */
  payloadStart = 0;
  /** Offset behind the frame. */
  end = 0;
  #bytes: Uint8Array = EMPTY;

  /** Points the header at the array that its offsets mean. */
  attach(bytes: Uint8Array): void {
    this.#bytes = bytes;
  }

  /** A view of the session id. */
  get sessionId(): Uint8Array {
    const start = this.bodyStart + 2;
    return this.#bytes.subarray(start, start + SESSION_ID_BYTES);
  }

  /** A view of the metadata. */
  get metadata(): Uint8Array {
    return this.#bytes.subarray(this.metadataStart, this.metadataEnd);
  }

  /** A view of the payload: for a protected frame, ciphertext and tag. */
  get payload(): Uint8Array {
    return this.#bytes.subarray(this.payloadStart, this.end);
  }

  /** A view of all bytes before the payload. */
  get associatedData(): Uint8Array {
    return this.#bytes.subarray(this.start, this.payloadStart);
  }
}

/**
 * Parses the frame that starts at `offset` of `bytes` into `into`, looking no further than `end`. Nothing is
 * allocated unless the frame is refused.
 *
 * @param maxBody Largest body taken, in bytes.
 * @returns The offset behind the frame.
 * @throws {SttError} `FRAME_INCOMPLETE` for a correct beginning, else the code of what is malformed; `FRAME_FIELD` for a
 * sequence or timestamp above 2^53-1, which sessions never send (SPEC 13).
 */
export function parseFrameHeader(
  bytes: Uint8Array,
  offset: number,
  end: number,
  maxBody: number,
  into: FrameHeader,
): number {
  locateFrame(bytes, offset, end, maxBody, into);
  const at = into.bodyStart;
  into.sequence = safeField(bytes, at + 10, "sequence");
  into.timestamp = safeField(bytes, at + 18, "timestamp");
  return into.end;
}

/** {@link parseFrameHeader} but for the 64-bit fields. */
export function locateFrame(
  bytes: Uint8Array,
  offset: number,
  end: number,
  maxBody: number,
  into: FrameHeader,
): void {
  const length = scanBodyLength(bytes, offset, end, maxBody, 0);
  const have = end - offset;
  if (length < 0) {
    throw decodeError("FRAME_INCOMPLETE", "frame", `it ends after ${have} bytes`, offset);
  }
  const bodyStart = offset + 2 + varintSize(length);
  const frameEnd = bodyStart + length;
  const metadataLength = scanMetadataLength(bytes, bodyStart, frameEnd, end, 0);
  if (frameEnd > end) {
    const why = `it ends after ${have} of ${frameEnd - offset} bytes`;
    throw decodeError("FRAME_INCOMPLETE", "frame", why, offset);
  }
  into.attach(bytes);
  into.start = offset;
  into.bodyStart = bodyStart;
  into.end = frameEnd;
  into.type = bytes[bodyStart] as number;
  into.flags = bytes[bodyStart + 1] as number;
  into.sessionIdHigh = readU32(bytes, bodyStart + 2);
  into.sessionIdLow = readU32(bytes, bodyStart + 6);
  into.streamId = readU32(bytes, bodyStart + 26);
  into.metadataStart = bodyStart + FRAME_FIXED_BYTES + varintSize(metadataLength);
  into.metadataEnd = into.metadataStart + metadataLength;
  into.payloadStart = into.metadataEnd;
}

function safeField(bytes: Uint8Array, at: number, name: string): number {
  const value = readU64Number(bytes, at);
  if (value >= 0) return value;
  const limit = Number.MAX_SAFE_INTEGER;
  throw decodeError("FRAME_FIELD", "frame", `${name} exceeds ${limit}`, at, limit);
}

/**
 * Writes the whole header of a protected frame, magic to epoch, so that it ends exactly at `payloadStart`.
 *
 * @param buffer Holds at least {@link FRAME_HEADROOM} bytes before `payloadStart`.
 * @param payloadAndTagLength Bytes that follow the header: ciphertext and its 16-byte tag.
 * @param sequence Packet number, 0 to 2^53-1. @param timestamp Milliseconds, 0 to 2^53-1.
 * @param epoch Key epoch, written as the metadata (SPEC 7).
 * @returns The offset at which the frame starts.
 * @throws {SttError} `FRAME_FIELD` for a field out of range, `FRAME_TOO_LARGE` above 2 MiB, `INTERNAL` without headroom.
 */
export function writeHeaderBefore(
  buffer: Uint8Array,
  payloadStart: number,
  payloadAndTagLength: number,
  type: number,
  flags: number,
  sessionId: Uint8Array,
  sequence: number,
  timestamp: number,
  streamId: number,
  epoch: number,
): number {
  const epochSize = varintSize(epoch);
  const bodyLength = FRAME_FIXED_BYTES + 1 + epochSize + payloadAndTagLength;
  checkFrameFields(type, flags, sessionId, streamId, bodyLength);
  if (!Number.isSafeInteger(sequence) || sequence < 0) throw fieldError("sequence", sequence);
  if (!Number.isSafeInteger(timestamp) || timestamp < 0) throw fieldError("timestamp", timestamp);
  const bodyStart = payloadStart - FRAME_FIXED_BYTES - 1 - epochSize;
  const start = bodyStart - 2 - varintSize(bodyLength);
  if (start < 0 || payloadStart > buffer.length) {
    throw new SttError(
      "INTERNAL",
      `cannot write frame header: payload at ${payloadStart} of ${buffer.length} leaves no room before it`,
    );
  }
  buffer[start] = MAGIC_0;
  buffer[start + 1] = MAGIC_1;
  writeVarint(buffer, start + 2, bodyLength);
  writeFixedFields(buffer, bodyStart, type, flags, sessionId, streamId);
  writeU64Number(buffer, bodyStart + 10, sequence);
  writeU64Number(buffer, bodyStart + 18, timestamp);
  buffer[bodyStart + FRAME_FIXED_BYTES] = epochSize;
  writeVarint(buffer, bodyStart + FRAME_FIXED_BYTES + 1, epoch);
  return start;
}

/** Type, flags, session id and stream id; the 64-bit fields between them are the caller's. */
export function writeFixedFields(
  target: Uint8Array,
  bodyStart: number,
  type: number,
  flags: number,
  sessionId: Uint8Array,
  streamId: number,
): void {
  target[bodyStart] = type;
  target[bodyStart + 1] = flags;
  for (let index = 0; index < SESSION_ID_BYTES; index++) {
    target[bodyStart + 2 + index] = sessionId[index] as number;
  }
  writeU32(target, bodyStart + 26, streamId);
}

export function checkFrameFields(
  type: number,
  flags: number,
  sessionId: Uint8Array,
  streamId: number,
  bodyLength: number,
): void {
  if ((type & 0xff) !== type) throw fieldError("type", type);
  if ((flags & 0xff) !== flags) throw fieldError("flags", flags);
  if (streamId >>> 0 !== streamId) throw fieldError("stream id", streamId);
  if (sessionId.length !== SESSION_ID_BYTES) {
    throw fieldError("session id length", sessionId.length);
  }
  if (bodyLength > FRAME_MAX_BODY) {
    throw new SttError(
      "FRAME_TOO_LARGE",
      `cannot encode frame: body length ${bodyLength} exceeds ${FRAME_MAX_BODY}`,
      { limit: FRAME_MAX_BODY },
    );
  }
}

export function fieldError(name: string, value: number | bigint): SttError {
  return new SttError("FRAME_FIELD", `cannot encode frame: ${name} ${value} is out of range`);
}
