/**
 * The byte formats of STT: varints, values, frames and records. Pure functions over `Uint8Array`, without the protocol.
 *
 * @example Encode a value, put it into a frame, and read both back
 * ```ts
 * import { decodeExactFrame, decodeValue, encodeFrame, encodeValue } from "@seigr/stt/codec";
 * import assert from "node:assert/strict";
 *
 * const payload = encodeValue({ temperature: 21.5, unit: "C" });
 * const bytes = encodeFrame({
 *   type: 0x80,
 *   flags: 0,
 *   sessionId: new Uint8Array(8),
 *   sequence: 0,
 *   timestamp: 0,
 *   streamId: 0,
 *   metadata: new Uint8Array(0),
 *   payload,
 * });
 * const value = decodeValue(decodeExactFrame(bytes).payload);
 * assert.deepEqual(value, new Map<string, unknown>([["temperature", 21.5], ["unit", "C"]]));
 * ```
 *
 * @module
 */

export { type ErrorCode, SttError, type SttErrorDetails } from "../errors.ts";
export { fromBase64Url, toBase64Url } from "./base64url.ts";
export { ByteReader } from "./byte_reader.ts";
export { ByteWriter } from "./byte_writer.ts";
export {
  type DecodedFrame,
  decodeExactFrame,
  decodeFrame,
  encodeFrame,
  type Frame,
  FRAME_HEADROOM,
  type FrameDecodeOptions,
  FrameHeader,
  parseFrameHeader,
  writeHeaderBefore,
} from "./frame.ts";
export { FrameAssembler } from "./frame_assembler.ts";
export { fromHex, toHex } from "./hex.ts";
export {
  ACK_MAX_FURTHER_RANGES,
  type AckRecord,
  type DatagramRecord,
  type DecodedRecords,
  decodeRecords,
  type ErrorRecord,
  type KeyRotationRecord,
  type LimitRecord,
  type PaddingRecord,
  recordSize,
  type SessionCloseRecord,
  type SessionRecord,
  type StreamDataRecord,
  type StreamGapRecord,
  type StreamResetRecord,
  type StreamsLimitRecord,
  type StreamStopRecord,
  TOKEN_BYTES,
  type TokenRecord,
  writeRecord,
} from "./records.ts";
export {
  isStreamKind,
  parseStreamPayload,
  StreamPayload,
  streamPayloadHeaderSize,
  writeStreamPayloadHeader,
} from "./stream_payload.ts";
export { decodeVarint, encodeVarint, readVarintNumber, varintSize, writeVarint } from "./varint.ts";
export {
  type DecodedValue,
  decodeValue,
  decodeValueAt,
  encodeValue,
  Float,
  type SttValue,
  type ValueDecodeOptions,
} from "./values.ts";
