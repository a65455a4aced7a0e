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

/** A frame was sealed and handed to the transport. */
export interface FrameSentEvent extends FrameFacts {
  /** Kind of event. */
  readonly type: "frame-sent";
}

/** A frame verified. */
export interface FrameReceivedEvent extends FrameFacts {
  /** Kind of event. */
  readonly type: "frame-received";
}

/** Why a frame was dropped, or ended the connection. */
export type DropReason =
  /** Not a frame at all: magic, length or fields are malformed. */
  | "malformed"
  /** Larger than the receiver takes. */
  | "too_large"
  /** No session has its id. */
  | "unknown_session"
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
  /** It came when the session could not take it: before its keys, or after its end. */
  | "state"
  /** A queue or a limit was full. */
  | "overflow";

/** A frame was dropped. Nothing in it can be trusted, so only its size is told. */
export interface FrameDroppedEvent {
  /** Kind of event. */
  readonly type: "frame-dropped";
  /** Which check it failed. */
  readonly reason: DropReason;
  /** Bytes of the frame, or of what could not be parsed. */
  readonly bytes: number;
  /** More about `reason`, from a fixed set of words. */
  readonly detail?: string;
}

/** A step of the handshake (SPEC 6), on either side. */
export interface HandshakeEvent {
  /** Kind of event. */
  readonly type: "handshake";
  /** Which message or decision. */
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
    | "accepted"
    | "refused"
    | "established"
    | "failed";
  /** Which sending of this message it is, from 1. */
  readonly attempt?: number;
  /** Suite in use, once it is known. */
  readonly suite?: number;
  /** Stable error code, for `failed` and `refused`. */
  readonly code?: string;
}

/** Keys moved to another epoch (SPEC 7). */
export interface RotationEvent {
  /** Kind of event. */
  readonly type: "rotation";
  /** Which of our two directions. */
  readonly direction: "send" | "receive";
  /** The new epoch. */
  readonly epoch: number;
  /** Why the sender moved. */
  readonly cause: "bytes" | "time" | "packets" | "request" | "peer";
}

/** A stream changed its state (SPEC 8). */
export interface StreamEvent {
  /** Kind of event. */
  readonly type: "stream";
  /** 1 to 2^32-1. */
  readonly streamId: number;
  /** What happened to the stream. */
  readonly step:
    | "opened"
    | "send-finished"
    | "receive-finished"
    | "reset-sent"
    | "reset-received"
    | "stop-sent"
    | "stop-received"
    | "closed";
  /** True when the peer opened the stream. */
  readonly remote: boolean;
  /** Stream kind (SPEC 8), for `opened`. */
  readonly kind?: number;
  /** Application code, for resets and stops. */
  readonly code?: number;
  /** Final size, where it is known. */
  readonly finalSize?: number;
}

/** Flow control moved or stands still (SPEC 8). */
export interface FlowEvent {
  /** Kind of event. */
  readonly type: "flow";
  /** What moved, and on which side. */
  readonly step:
    | "credit-sent"
    | "credit-received"
    | "streams-limit-sent"
    | "streams-limit-received"
    | "blocked-sent"
    | "blocked-received"
    | "window-grown";
  /** 0 is the session. */
  readonly streamId: number;
  /** The limit in bytes; for streams limits their number; for `window-grown` the new window. */
  readonly limit: number;
}

/** A round trip was measured. */
export interface RttEvent {
  /** Kind of event. */
  readonly type: "rtt";
  /** This round trip, ms. */
  readonly latestMs: number;
  /** Smoothed as in RFC 9002, ms. */
  readonly smoothedMs: number;
  /** Shortest so far, ms. */
  readonly minMs: number;
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
  | StreamEvent
  | FlowEvent
  | RttEvent
  | SessionClosedEvent;
