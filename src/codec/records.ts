/**
 * Records (SPEC 9): what the payload of a CONTROL frame is made of.
 *
 * @module
 */

export { type DecodedRecords, decodeRecords } from "./record_decoder.ts";
export { recordSize, writeRecord } from "./record_encoder.ts";
export {
  ACK_MAX_FURTHER_RANGES,
  type AckRecord,
  type DatagramRecord,
  type ErrorRecord,
  type KeyRotationRecord,
  type LimitRecord,
  type PaddingRecord,
  type SessionCloseRecord,
  type SessionRecord,
  type StreamDataRecord,
  type StreamGapRecord,
  type StreamResetRecord,
  type StreamsLimitRecord,
  type StreamStopRecord,
  TOKEN_BYTES,
  type TokenRecord,
} from "./record_types.ts";
