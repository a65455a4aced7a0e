/**
 * What of frames and refusals a trace tells: types, numbers and lengths, no content.
 *
 * @module
 */
import { decodeRecords, type SessionRecord } from "../codec/records.ts";
import { parseStreamPayload, StreamPayload } from "../codec/stream_payload.ts";
import { FLAG_STREAM_END, FRAME_CONTROL, FRAME_DATA, FRAME_STREAM } from "../constants.ts";
import type { DropReason, RecordFacts } from "../observe/trace_event.ts";

/** The records of a CONTROL frame, or the one thing that another frame carries. Never throws. */
export function recordsOf(
  type: number,
  flags: number,
  streamId: number,
  payload: Uint8Array,
): RecordFacts[] {
  if (type === FRAME_CONTROL) return decodeRecords(payload).records.map(recordFacts);
  if (type === FRAME_DATA) {
    return [{ type: "datagram", channel: streamId, length: payload.length }];
  }
  if (type !== FRAME_STREAM) return [{ type: "custom", length: payload.length }];
  const stream = new StreamPayload();
  try {
    parseStreamPayload(payload, stream);
  } catch {
    return [];
  }
  const fin = (flags & FLAG_STREAM_END) !== 0;
  const { offset, data } = stream;
  return [{ type: "streamData", stream: streamId, offset, length: data.length, fin }];
}

/** One record without its content: tokens, reasons and data stay out. */
export function recordFacts(record: SessionRecord): RecordFacts {
  const { type } = record;
  switch (type) {
    case "padding":
      return { type, length: record.count };
    case "flowCredit":
    case "blocked":
      return { type, stream: record.stream, limit: record.limit };
    case "keyRotation":
      return { type, epoch: record.epoch };
    case "sessionClose":
      return { type, code: record.code };
    case "error":
    case "streamStop":
      return { type, stream: record.stream, code: record.code };
    case "ack":
      return { type, ranges: record.ranges, delayMs: record.delayUs / 1000 };
    case "streamReset":
      return { type, stream: record.stream, code: record.code, finalSize: record.finalSize };
    case "streamsLimit":
      return { type, limit: record.count };
    case "streamGap":
      return { type, stream: record.stream, offset: record.offset, length: record.length };
    case "streamData": {
      const { stream, offset, data, flags } = record;
      const fin = (flags & FLAG_STREAM_END) !== 0;
      return { type, stream, offset, length: data.length, fin };
    }
    case "datagram":
      return { type, channel: record.channel, length: record.data.length };
    default:
      return { type };
  }
}

const DROP_REASONS: Readonly<Record<string, DropReason>> = {
  FRAME_TOO_LARGE: "too_large",
  early: "state",
  migrate: "address",
  handshake: "handshake",
  frame_unprotected: "unprotected",
  frame_epoch: "epoch",
  frame_stale: "stale",
  frame_seen: "seen",
  frame_gap: "gap",
  frame_crypto: "crypto",
  frame_old_epoch: "old_epoch",
  frame_wiped: "state",
};

/** The reason behind the word under which `stats().rejected` counts a frame. */
export function dropReason(word: string): DropReason {
  const known = DROP_REASONS[word];
  if (known !== undefined) return known;
  if (/^(FRAME|VALUE|VARINT|BYTES)_/.test(word)) return "malformed";
  // Error codes are upper case; the acceptor's words for handshake messages are not.
  return word === word.toUpperCase() ? "protocol" : "handshake";
}
