/**
 * Records in the words of qlog: the frames of QUIC where they mean the same, names that begin with `stt_` where not.
 *
 * @module
 */
import type { RecordFacts } from "./trace_event.ts";

/** A frame of a qlog packet event. */
export type QlogFrame = Readonly<Record<string, unknown>>;

const APPLICATION_CODES = 0x100;

/** One record as qlog says it. */
export function qlogFrame(record: RecordFacts): QlogFrame {
  const { type, stream, offset, length, limit, code } = record;
  switch (type) {
    case "padding":
      return { frame_type: "padding", payload_length: length };
    case "ping":
      return { frame_type: "ping" };
    case "ack":
      return {
        frame_type: "ack",
        ack_delay: record.delayMs,
        // qlog counts ranges up.
        acked_ranges: [...record.ranges ?? []].reverse().map(([low, high]) => [low, high]),
      };
    case "streamData":
      return { frame_type: "stream", stream_id: stream, offset, length, fin: record.fin };
    case "datagram":
      return { frame_type: "datagram", length, stt_channel: record.channel };
    case "flowCredit":
      return stream === 0
        ? { frame_type: "max_data", maximum: limit }
        : { frame_type: "max_stream_data", stream_id: stream, maximum: limit };
    case "blocked":
      return stream === 0
        ? { frame_type: "data_blocked", limit }
        : { frame_type: "stream_data_blocked", stream_id: stream, limit };
    case "streamsLimit":
      return { frame_type: "max_streams", stream_type: "bidirectional", maximum: limit };
    case "streamReset":
      return {
        frame_type: "reset_stream",
        stream_id: stream,
        error_code: code,
        final_size: record.finalSize,
      };
    case "streamStop":
      return { frame_type: "stop_sending", stream_id: stream, error_code: code };
    case "sessionClose": {
      const error_space = (code ?? 0) >= APPLICATION_CODES ? "application" : "transport";
      return { frame_type: "connection_close", error_space, error_code: code };
    }
    case "pathChallenge":
      return { frame_type: "path_challenge" };
    case "pathResponse":
      return { frame_type: "path_response" };
    case "streamGap":
      return { frame_type: "stt_stream_gap", stream_id: stream, offset, length };
    case "keyRotation":
      return { frame_type: "stt_key_rotation", epoch: record.epoch };
    case "error":
      return { frame_type: "stt_error", stream_id: stream, error_code: code };
    case "custom":
      return { frame_type: "stt_custom", length };
    default:
      return { frame_type: `stt_${type}` };
  }
}
