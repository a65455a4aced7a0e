/**
 * Trace events in the words of qlog: the events of QUIC where they mean the same, the namespace `stt` where not.
 *
 * @module
 */
import { FRAME_HANDSHAKE } from "../constants.ts";
import { qlogFrame } from "./qlog_frames.ts";
import type {
  DropReason,
  FrameFacts,
  HandshakeEvent,
  MetricsEvent,
  RecordFacts,
  RotationEvent,
  StreamTraceEvent,
  TraceEvent,
} from "./trace_event.ts";

/** Name and data of one qlog event. */
export interface QlogEvent {
  /** `namespace:event`. */
  readonly name: string;
  /** Members with the value undefined are not written. */
  readonly data: Readonly<Record<string, unknown>>;
}

const BITS_PER_BYTE = 8;
const MS_PER_S = 1000;

const DROP_TRIGGERS: Readonly<Record<DropReason, string>> = {
  malformed: "header_parse_error",
  too_large: "header_parse_error",
  unprotected: "unexpected_packet",
  epoch: "key_unavailable",
  stale: "duplicate",
  seen: "duplicate",
  gap: "unexpected_packet",
  crypto: "payload_decrypt_error",
  old_epoch: "protocol_violation",
  handshake: "unexpected_packet",
  state: "unexpected_packet",
  address: "unexpected_source_connection_id",
  protocol: "protocol_violation",
};

const STREAM_STATES: Readonly<Record<StreamTraceEvent["step"], string>> = {
  opened: "open",
  "send-finished": "half_closed_local",
  "reset-received": "reset_received",
  "stop-received": "reset_sent",
  closed: "closed",
};

/** An event of a session in qlog. `handshakeFrames`: HANDSHAKE frames of this direction before this one, which have no number. */
export function qlogEvent(
  event: TraceEvent,
  role: "initiator" | "responder",
  handshakeFrames: number,
): QlogEvent {
  switch (event.type) {
    case "frame-sent":
      return packet("transport:packet_sent", event, event.records, handshakeFrames);
    case "frame-received":
      return packet("transport:packet_received", event, event.records, handshakeFrames);
    case "frame-dropped": {
      const { bytes, reason, detail } = event;
      const data = { raw: { length: bytes }, trigger: DROP_TRIGGERS[reason], details: detail };
      return { name: "transport:packet_dropped", data };
    }
    case "packets-acked": {
      const data = { packet_number_space: "application_data", packet_numbers: event.sequences };
      return { name: "transport:packets_acked", data };
    }
    case "packet-lost": {
      const header = { packet_type: "1RTT", packet_number: event.sequence };
      const data = { header, raw: { length: event.bytes }, is_mtu_probe_packet: event.mtuProbe };
      return { name: "recovery:packet_lost", data };
    }
    case "metrics":
      return metrics(event);
    case "congestion-state": {
      const { from, to, controller } = event;
      const data = { old: from === "" ? undefined : from, new: to, stt_controller: controller };
      return { name: "recovery:congestion_state_updated", data };
    }
    case "packet-size": {
      const data = { old: event.from === 0 ? undefined : event.from, new: event.to };
      return { name: "connectivity:mtu_updated", data };
    }
    case "rotation":
      return rotation(event, role);
    case "stream": {
      const { step, streamId, remote, kind, code } = event;
      const data = {
        stream_id: streamId,
        stream_type: "bidirectional",
        new: STREAM_STATES[step],
        stt_remote: remote,
        stt_kind: kind,
        stt_code: code,
      };
      return { name: "transport:stream_state_updated", data };
    }
    case "migrated": {
      const { from, to, portOnly } = event;
      return { name: "stt:migrated", data: { from, to, port_only: portOnly } };
    }
    case "handshake":
      return handshake(event);
    case "session-closed": {
      const { code, wire, remote } = event;
      const data = {
        owner: remote ? "remote" : "local",
        connection_code: wire,
        trigger: code === "NONE" ? "clean" : code === "IDLE_TIMEOUT" ? "idle_timeout" : "error",
        reason: code,
      };
      return { name: "connectivity:connection_closed", data };
    }
  }
}

function packet(
  name: string,
  facts: FrameFacts,
  records: readonly RecordFacts[],
  handshakeFrames: number,
): QlogEvent {
  const { frameType, flags, streamId, sequence, epoch, bytes } = facts;
  const raw = { length: bytes };
  if (frameType === FRAME_HANDSHAKE) {
    const header = { packet_type: "handshake", packet_number: handshakeFrames };
    return { name, data: { header, raw, frames: [{ frame_type: "crypto", offset: 0 }] } };
  }
  const header = {
    packet_type: "1RTT",
    packet_number: sequence,
    stt_epoch: epoch,
    stt_frame_type: frameType,
    stt_flags: flags,
    stt_stream_id: streamId,
  };
  return { name, data: { header, raw, frames: records.map(qlogFrame) } };
}

function metrics(event: MetricsEvent): QlogEvent {
  const { pacingRate } = event;
  const data = {
    latest_rtt: event.latestMs,
    smoothed_rtt: event.smoothedMs,
    min_rtt: event.minMs,
    rtt_variance: event.varianceMs,
    pto_count: event.ptoCount,
    congestion_window: event.window,
    bytes_in_flight: event.bytesInFlight,
    pacing_rate: pacingRate === undefined
      ? undefined
      : Math.round(pacingRate * MS_PER_S * BITS_PER_BYTE),
  };
  return { name: "recovery:metrics_updated", data };
}

/** The keys are not in it, whatever qlog has fields for. */
function rotation(event: RotationEvent, role: "initiator" | "responder"): QlogEvent {
  const ofClient = (event.direction === "send") === (role === "initiator");
  const data = {
    key_type: ofClient ? "client_1rtt_secret" : "server_1rtt_secret",
    generation: event.epoch,
    trigger: event.cause === "peer" ? "remote_update" : "local_update",
    stt_cause: event.cause,
  };
  return { name: "security:key_updated", data };
}

function handshake(event: HandshakeEvent): QlogEvent {
  const { step, sessionId, suite, peerId } = event;
  const session = { stt_session_id: sessionId, stt_suite: suite, stt_peer_id: peerId };
  const name = "connectivity:connection_state_updated";
  if (step === "authenticated") return { name, data: { new: "peer_validated", ...session } };
  if (step === "established") return { name, data: { new: "handshake_complete", ...session } };
  return { name: "stt:handshake", data: { step } };
}
