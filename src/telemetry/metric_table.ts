/**
 * Which metrics there are, and where their numbers come from.
 *
 * @module
 */
import type { ProfileStats } from "../connection/profile.ts";
import type { ConnectionStats } from "../connection/stats.ts";
import type { ListenerStats } from "../endpoint/listener.ts";
import type { HistogramSnapshot } from "../observe/histogram.ts";

/** A number of a session. */
export interface SessionMetric {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
  /** How sessions with the same labels become one series. Default "sum". */
  readonly merge?: "sum" | "max";
  /** Undefined where the session has none. */
  readonly of: (stats: ConnectionStats) => number | undefined;
}

function counter(name: string, help: string, of: SessionMetric["of"]): SessionMetric {
  return { name: `${name}_total`, help, type: "counter", of };
}

function gauge(
  name: string,
  help: string,
  of: SessionMetric["of"],
  merge: "sum" | "max" = "sum",
): SessionMetric {
  return { name, help, type: "gauge", of, merge };
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}

export const SESSION_METRICS: readonly SessionMetric[] = [
  gauge("sessions", "Sessions that these series are made of.", () => 1),
  counter("bytes_sent", "Bytes of whole frames sent.", (stats) => stats.bytesSent),
  counter("bytes_received", "Bytes that arrived.", (stats) => stats.bytesReceived),
  counter("frames_sent", "Frames sent.", (stats) => stats.framesSent),
  counter("frames_received", "Frames that arrived.", (stats) => stats.framesReceived),
  counter("datagrams_sent", "Datagrams and custom frames sent.", (stats) => stats.datagramsSent),
  counter(
    "datagrams_received",
    "Datagrams and custom frames that arrived.",
    (stats) => stats.datagramsReceived,
  ),
  counter(
    "datagrams_dropped",
    "Datagrams and custom frames forgotten because a queue was full.",
    (stats) => stats.datagramsDropped,
  ),
  gauge("streams_open", "Streams with state.", ({ streams }) => streams.open),
  counter("streams_opened", "Streams opened by this side.", ({ streams }) => streams.opened),
  counter("streams_accepted", "Streams opened by the peer.", ({ streams }) => streams.accepted),
  counter("stream_bytes_sent", "Bytes of streams sent.", ({ streams }) => streams.bytesSent),
  counter(
    "stream_bytes_resent",
    "Bytes of streams sent more than once.",
    ({ streams }) => streams.bytesResent,
  ),
  counter(
    "stream_bytes_received",
    "Bytes of streams that arrived.",
    ({ streams }) => streams.bytesReceived,
  ),
  gauge(
    "send_buffered_bytes",
    "Bytes of streams that wait to be sent or acknowledged.",
    ({ streams }) => streams.sendBuffered,
  ),
  gauge(
    "receive_buffered_bytes",
    "Bytes of streams that wait to be read.",
    ({ streams }) => streams.recvBuffered,
  ),
  gauge("rtt_smoothed_seconds", "Smoothed round trip.", ({ rtt }) => seconds(rtt.smoothed), "max"),
  gauge("rtt_min_seconds", "Shortest round trip.", ({ rtt }) => seconds(rtt.min), "max"),
  counter("migrations", "Times a peer was followed to another address.", (s) => s.migrations),
  gauge("congestion_window_bytes", "UDP: congestion window.", ({ path }) => path?.window),
  gauge("bytes_in_flight", "UDP: bytes without an answer.", ({ path }) => path?.bytesInFlight),
  gauge("packet_size_bytes", "UDP: largest packet.", ({ path }) => path?.packetSize, "max"),
  counter("packets_lost", "UDP: packets declared lost.", ({ path }) => path?.packetsLost),
  counter(
    "spurious_losses",
    "UDP: packets acknowledged after they had been declared lost.",
    ({ path }) => path?.spuriousLosses,
  ),
  counter(
    "probe_timeouts",
    "UDP: silences that made a probe go out.",
    (s) => s.path?.probeTimeouts,
  ),
];

/** Buckets from 2^first to 2^last milliseconds. */
export const SESSION_HISTOGRAMS: readonly {
  readonly name: string;
  readonly help: string;
  readonly of: (profile: ProfileStats) => HistogramSnapshot;
  readonly powers: [first: number, last: number];
}[] = [
  { name: "rtt_seconds", help: "Round trips.", of: ({ rtt }) => rtt, powers: [-6, 13] },
  {
    name: "send_latency_seconds",
    help: "From a write on a stream until its last byte is in a frame, sampled.",
    of: ({ sendLatency }) => sendLatency,
    powers: [-6, 13],
  },
  { name: "seal_seconds", help: "Sealing of a frame.", of: ({ seal }) => seal, powers: [-10, 3] },
  { name: "open_seconds", help: "Opening of a frame.", of: ({ open }) => open, powers: [-10, 3] },
];

export const LISTENER_METRICS: readonly {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
  readonly of: (stats: ListenerStats) => number;
}[] = [
  {
    name: "listener_sessions",
    help: "Sessions that stand.",
    type: "gauge",
    of: (stats) => stats.sessions,
  },
  {
    name: "listener_handshaking",
    help: "Handshakes under way.",
    type: "gauge",
    of: (stats) => stats.handshaking,
  },
  {
    name: "listener_accepted_total",
    help: "Sessions opened.",
    type: "counter",
    of: (stats) => stats.accepted,
  },
  {
    name: "listener_rejected_total",
    help: "Transport connections that never became a session.",
    type: "counter",
    of: (stats) => stats.rejected,
  },
  {
    name: "listener_resets_total",
    help: "UDP: packets of unknown sessions answered with a reset.",
    type: "counter",
    of: (stats) => stats.resets,
  },
];
