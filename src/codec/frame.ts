/**
 * Frames (SPEC 3): `53 54`, varint body length, then the body. This is the general codec, which takes every field that
 * the format can hold; what sessions may send is narrower.
 *
 * @module
 */

import {
  FRAME_FIXED_BYTES,
  FRAME_MAX_BODY,
  MAGIC_0,
  MAGIC_1,
  SESSION_ID_BYTES,
} from "../constants.ts";
import { decodeError } from "./decode_error.ts";
import {
  checkFrameFields,
  fieldError,
  FrameHeader,
  locateFrame,
  writeFixedFields,
} from "./frame_header.ts";
import { isU64, readU64, writeU64 } from "./u64.ts";
import { varintSize, writeVarint } from "./varint.ts";

export {
  FRAME_HEADROOM,
  FrameHeader,
  parseFrameHeader,
  writeHeaderBefore,
} from "./frame_header.ts";

/** One frame, field by field. */
export interface Frame {
  /** 0 to 255; SPEC 3 names the types. */
  type: number;
  /** 0 to 255; SPEC 3 names the bits. */
  flags: number;
  /** 8 bytes. */
  sessionId: Uint8Array;
  /** 0 to 2^64-1: a `number` when it is a safe integer, else a `bigint`. */
  sequence: number | bigint;
  /** 0 to 2^64-1, milliseconds: a `number` when it is a safe integer, else a `bigint`. */
  timestamp: number | bigint;
  /** 0 to 2^32-1. */
  streamId: number;
  /** May be empty. */
  metadata: Uint8Array;
  /** May be empty. */
  payload: Uint8Array;
}

/** Where a frame is and how large it may be. */
export interface FrameDecodeOptions {
  /** Offset of the frame's first byte; 0 by default. */
  readonly offset?: number;
  /** Largest body taken, in bytes: at most, and by default, 2097152. */
  readonly maxBody?: number;
}

/** A frame and the bytes that it took. */
export interface DecodedFrame {
  /** The frame; its arrays are views of the input. */
  readonly frame: Frame;
  /** Bytes from the magic to the end of the payload. */
  readonly size: number;
}

/**
 * Encodes a frame.
 *
 * @throws {SttError} `FRAME_FIELD` for a field out of range, `FRAME_TOO_LARGE` for a body above 2097152 bytes.
 *
 * @example
 * ```ts
 * import { decodeExactFrame, encodeFrame, fromHex, toHex } from "@seigr/stt/codec";
 * import assert from "node:assert/strict";
 * const bytes = encodeFrame({
 *   type: 0x80,
 *   flags: 0,
 *   sessionId: fromHex("0102030405060708"),
 *   sequence: 1,
 *   timestamp: 3,
 *   streamId: 2,
 *   metadata: new Uint8Array(0),
 *   payload: new TextEncoder().encode("hi"),
 * });
 * assert.equal(bytes.length, 36);
 * assert.equal(toHex(decodeExactFrame(bytes).payload), "6869");
 * ```
 */
export function encodeFrame(frame: Frame): Uint8Array {
  const { sequence, timestamp, metadata, payload } = frame;
  const prefix = FRAME_FIXED_BYTES + varintSize(metadata.length);
  const bodyLength = prefix + metadata.length + payload.length;
  checkFrameFields(frame.type, frame.flags, frame.sessionId, frame.streamId, bodyLength);
  if (!isU64(sequence)) throw fieldError("sequence", sequence);
  if (!isU64(timestamp)) throw fieldError("timestamp", timestamp);
  const bodyStart = 2 + varintSize(bodyLength);
  const bytes = new Uint8Array(bodyStart + bodyLength);
  bytes[0] = MAGIC_0;
  bytes[1] = MAGIC_1;
  writeVarint(bytes, 2, bodyLength);
  writeFixedFields(bytes, bodyStart, frame.type, frame.flags, frame.sessionId, frame.streamId);
  writeU64(bytes, bodyStart + 10, sequence);
  writeU64(bytes, bodyStart + 18, timestamp);
  writeVarint(bytes, bodyStart + FRAME_FIXED_BYTES, metadata.length);
  bytes.set(metadata, bodyStart + prefix);
  bytes.set(payload, bodyStart + prefix + metadata.length);
  return bytes;
}

/**
 * Decodes the frame at the start of `bytes` (or at `offset`); what follows it is ignored. Session id, metadata and
 * payload are views of `bytes`.
 *
 * @throws {SttError} `FRAME_INCOMPLETE` when the bytes are the correct beginning of a frame; `FRAME_MAGIC`,
 * `FRAME_LENGTH`, `FRAME_TOO_SMALL`, `FRAME_TOO_LARGE`, `FRAME_METADATA_LENGTH` or `FRAME_METADATA_OVERRUN` when no
 * further byte could make them one.
 */
export function decodeFrame(bytes: Uint8Array, options: FrameDecodeOptions = {}): DecodedFrame {
  const offset = options.offset ?? 0;
  const maxBody = Math.min(options.maxBody ?? FRAME_MAX_BODY, FRAME_MAX_BODY);
  const header = new FrameHeader();
  locateFrame(bytes, offset, bytes.length, maxBody, header);
  const at = header.bodyStart;
  const frame: Frame = {
    type: header.type,
    flags: header.flags,
    sessionId: bytes.subarray(at + 2, at + 2 + SESSION_ID_BYTES),
    sequence: readU64(bytes, at + 10),
    timestamp: readU64(bytes, at + 18),
    streamId: header.streamId,
    metadata: header.metadata,
    payload: header.payload,
  };
  return { frame, size: header.end - offset };
}

/**
 * {@link decodeFrame} of bytes that hold exactly one frame.
 *
 * @throws {SttError} as {@link decodeFrame}, and `FRAME_TRAILING` when bytes follow the frame.
 */
export function decodeExactFrame(bytes: Uint8Array, options: FrameDecodeOptions = {}): Frame {
  const { frame, size } = decodeFrame(bytes, options);
  const end = (options.offset ?? 0) + size;
  if (end !== bytes.length) {
    const why = `${bytes.length - end} bytes follow it`;
    throw decodeError("FRAME_TRAILING", "frame", why, end);
  }
  return frame;
}
