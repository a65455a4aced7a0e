/**
 * What a session can tell about itself while it runs: typed events without secrets. No event holds keys, seeds,
 * payloads or plaintext; lengths, numbers and codes only.
 *
 * @module
 */

/** A frame, as its clear header shows it. */
export interface FrameFacts {
  /** 0x01 to 0xff (SPEC 3). */
  readonly frameType: number;
  /** Header flags (SPEC 3). */
  readonly flags: number;
  /** Stream id or channel, 0 to 2^32-1. */
  readonly streamId: number;
  /** Packet number, 0 to 2^53-1; 0 for HANDSHAKE frames. */
  readonly sequence: number;
  /** Key epoch; undefined for HANDSHAKE frames. */
  readonly epoch: number | undefined;
  /** Bytes of the whole frame. */
  readonly bytes: number;
}

/**
 * A record of a CONTROL frame, or what a STREAM, DATA or custom frame carries. Fields that a record does not have are
 * absent.
 */
export interface RecordFacts {
  /** As the record types of `@seigr/stt/codec`; `custom` for frames of the application's own types. */
  readonly type: string;
  /** Stream id, 0 the session. */
  readonly stream?: number;
  /** Offset of the first byte in the stream. */
  readonly offset?: number;
  /** Bytes of data, of a gap or of padding. */
  readonly length?: number;
  /** The stream ends here. */
  readonly fin?: boolean;
  /** Limit in bytes; for `streamsLimit` a number of streams. */
  readonly limit?: number;
  /** Wire number of an error, or the application's own. */
  readonly code?: number;
  /** Final size of a stream that was reset. */
  readonly finalSize?: number;
  /** Key epoch of `keyRotation`. */
  readonly epoch?: number;
  /** Channel of a datagram. */
  readonly channel?: number;
  /** `ack`: pairs of sequences, both included, from the highest down. */
  readonly ranges?: readonly (readonly [low: number, high: number])[];
  /** `ack`: how long the peer held it back, ms. */
  readonly delayMs?: number;
}

/** A frame was sealed, or a HANDSHAKE frame built, and goes to the transport now. */
export interface FrameSentEvent extends FrameFacts {
  /** Kind of event. */
  readonly type: "frame-sent";
  /** What is in it; empty for HANDSHAKE frames. */
  readonly records: readonly RecordFacts[];
}

/** A frame verified. HANDSHAKE frames are told as they come, before anything of them is known to be true. */
export interface FrameReceivedEvent extends FrameFacts {
  /** Kind of event. */
  readonly type: "frame-received";
  /** What is in it; empty for HANDSHAKE frames, and where the content is malformed. */
  readonly records: readonly RecordFacts[];
}

/** Why a frame was dropped, or ended the connection. */
export type DropReason =
  /** Not a frame at all: magic, length or fields are malformed. */
  | "malformed"
  /** Larger than the receiver takes. */
  | "too_large"
  /** Not protected although its type demands it, or the other way round (SPEC 3). */
  | "unprotected"
  /** No keys for its epoch. */
  | "epoch"
  /** Behind the replay window. */
  | "stale"
  /** Its sequence was accepted before. */
  | "seen"
  /** Reliable transports: its sequence is not the next one. */
  | "gap"
  /** Its tag does not verify. */
  | "crypto"
  /** Verified, but its sequence contradicts its epoch. */
  | "old_epoch"
  /** A handshake message that was not taken; `detail` names the check. */
  | "handshake"
  /** It came when the session could not take it: before its keys, or while the accept hook decided. */
  | "state"
  /** From another address, and `migrate` is false. */
  | "address"
  /** Authentic, but against the rules: the session ends. `detail` is the error's code. */
  | "protocol";

/** A frame was dropped. Nothing in it can be trusted, so only its size is told. */
export interface FrameDroppedEvent {
  /** Kind of event. */
  readonly type: "frame-dropped";
  /** Which check it failed. */
  readonly reason: DropReason;
  /** Bytes of the frame, or of what could not be parsed; 0 where that is not known any more. */
  readonly bytes: number;
  /** The word under which `stats().rejected` counts it. */
  readonly detail: string;
}

/** A step of the handshake (SPEC 6), on either side. */
export interface HandshakeEvent {
  /** Kind of event. */
  readonly type: "handshake";
  /**
   * Which message or decision. `authenticated`: the peer has proved the seed and its identity. A UDP listener's session
   * begins with `authenticated`: what came before belongs to no session yet.
   */
  readonly step:
    | "hello-sent"
    | "hello-received"
    | "retry-sent"
    | "retry-received"
    | "response-sent"
    | "response-received"
    | "auth-proof-sent"
    | "auth-proof-received"
    | "final-sent"
    | "final-received"
    | "authenticated"
    | "accepted"
    | "refused"
    | "established";
  /** Hex, from `authenticated` on. */
  readonly sessionId?: string;
  /** Suite in use, from `authenticated` on. */
  readonly suite?: number;
  /** The peer's public identity as hex, for `authenticated`. */
  readonly peerId?: string;
}

/** Why the sending side moved to its next epoch (SPEC 7). */
export type RotationCause = "bytes" | "time" | "packets" | "request" | "peer";

/** Keys moved to another epoch (SPEC 7). */
export interface RotationEvent {
  /** Kind of event. */
  readonly type: "rotation";
  /** Which of our two directions. */
  readonly direction: "send" | "receive";
  /** The new epoch. */
  readonly epoch: number;
  /** Why the sender moved; `peer` for the receiving direction. */
  readonly cause: RotationCause;
}

/** A stream changed its state (SPEC 8). Resets and stops that this side sends are records of `frame-sent`. */
export interface StreamTraceEvent {
  /** Kind of event. */
  readonly type: "stream";
  /** 1 to 2^32-1. */
  readonly streamId: number;
  /** What happened to the stream. `send-finished`: all of our half is sent (UDP: and acknowledged), or it was reset. */
  readonly step: "opened" | "send-finished" | "reset-received" | "stop-received" | "closed";
  /** True when the peer opened the stream. */
  readonly remote: boolean;
  /** Stream kind (SPEC 8), for `opened`. */
  readonly kind?: number;
  /** Application code, for resets and stops. */
  readonly code?: number;
}

/** UDP: packets were acknowledged for the first time. */
export interface PacketsAckedEvent {
  /** Kind of event. */
  readonly type: "packets-acked";
  /** Ascending; never empty. */
  readonly sequences: readonly number[];
}

/** UDP: a packet was declared lost. */
export interface PacketLostEvent {
  /** Kind of event. */
  readonly type: "packet-lost";
  /** Of its frame. */
  readonly sequence: number;
  /** Key epoch it was sealed in. */
  readonly epoch: number;
  /** UDP payload bytes. */
  readonly bytes: number;
  /** A probe for a larger packet size: its loss says nothing about congestion. */
  readonly mtuProbe: boolean;
}

/** What is known of the path now. Told when something of it changed; reliable transports know round trips alone. */
export interface MetricsEvent {
  /** Kind of event. */
  readonly type: "metrics";
  /** The last round trip, ms. */
  readonly latestMs: number;
  /** Smoothed as in RFC 9002, ms. */
  readonly smoothedMs: number;
  /** Shortest so far on this path, ms. */
  readonly minMs: number;
  /** Mean deviation, ms. */
  readonly varianceMs?: number;
  /** Probe timeouts since the peer last acknowledged something. */
  readonly ptoCount?: number;
  /** Congestion window, bytes. */
  readonly window?: number;
  /** Bytes sent and neither acknowledged nor lost. */
  readonly bytesInFlight?: number;
  /** Bytes per millisecond; absent: not paced. */
  readonly pacingRate?: number;
}

/** UDP: the congestion controller is in another phase. */
export interface CongestionStateEvent {
  /** Kind of event. */
  readonly type: "congestion-state";
  /** Its name. */
  readonly controller: string;
  /** The phase before, "" at the start. */
  readonly from: string;
  /** The phase now, in the controller's own words. */
  readonly to: string;
}

/** UDP: packets of another size go out. */
export interface PacketSizeEvent {
  /** Kind of event. */
  readonly type: "packet-size";
  /** UDP payload bytes before; 0 at the start. */
  readonly from: number;
  /** UDP payload bytes now. */
  readonly to: number;
}

/** UDP: the peer answered at another address and is followed there (SPEC 10.6). */
export interface MigratedEvent {
  /** Kind of event. */
  readonly type: "migrated";
  /** Host and port before. */
  readonly from: { readonly host: string; readonly port: number };
  /** Host and port now. */
  readonly to: { readonly host: string; readonly port: number };
  /** The host is the same: what was learnt of the path holds. */
  readonly portOnly: boolean;
}

/** The session ended or is ending. */
export interface SessionClosedEvent {
  /** Kind of event. */
  readonly type: "session-closed";
  /** Stable error code; `NONE` for an orderly close. */
  readonly code: string;
  /** Wire number of the code. */
  readonly wire: number;
  /** True when the peer closed. */
  readonly remote: boolean;
}

/** Everything that a {@link Tracer} is told. New kinds may be added: ignore what you do not know. */
export type TraceEvent =
  | FrameSentEvent
  | FrameReceivedEvent
  | FrameDroppedEvent
  | HandshakeEvent
  | RotationEvent
  | StreamTraceEvent
  | PacketsAckedEvent
  | PacketLostEvent
  | MetricsEvent
  | CongestionStateEvent
  | PacketSizeEvent
  | MigratedEvent
  | SessionClosedEvent;
