/**
 * Types of the stream layer: configuration, events, and the small plain objects that describe what
 * goes to the wire.
 *
 * @module
 */

import type { WeightedStats } from "./weighted_stats.ts";

/** What one side grants the other (SPEC 6.2, 8). */
export interface StreamLimits {
  /** Bytes over all streams, the first value of the session's credit. */
  readonly maxData: number;
  /** Bytes per stream, the first value of each stream's credit. */
  readonly maxStreamData: number;
  /** Streams the other side may have opened; STREAMS_LIMIT raises it. */
  readonly maxStreams: number;
}

/** Options of a {@link StreamSet}. */
export interface StreamSetConfig {
  /** Decides whose ids are odd: the initiator's. */
  readonly role: "initiator" | "responder";
  /** True: bytes count as acknowledged as soon as `nextData` hands them out. */
  readonly reliable: boolean;
  /** What this side grants. */
  readonly local: StreamLimits;
  /** Largest message taken from the peer, in bytes. Default 16 MiB. */
  readonly maxMessageSize?: number;
  /** Cap of the automatic growth of a stream's window. Default 8 MiB. */
  readonly maxStreamWindow?: number;
  /**
   * Bytes of all streams that may be on their way at once while the RTT is below 5 ms; the peer must be told no more
   * `maxData` than this. Default: only `local.maxData` counts.
   */
  readonly burst?: number;
  /** Cap of the automatic growth of the session's window. Default 16 MiB. */
  readonly maxSessionWindow?: number;
  /** Unsent bytes of a stream from which on `write` returns false. Default 1 MiB. */
  readonly sendBuffer?: number;
  /** Told of every stream that this side opens. */
  readonly opened?: (id: number, kind: number) => void;
  /** Told of every write: the stream, and its bytes so far. */
  readonly written?: (id: number, end: number) => void;
  /** Told of all that `nextData` hands out: the stream, and the offset behind it. */
  readonly handedOut?: (id: number, end: number) => void;
}

/** Records this layer sends; each is a `SessionRecord` of codec/records.ts. */
export type StreamRecord =
  | { readonly type: "flowCredit"; readonly stream: number; readonly limit: number }
  | { readonly type: "streamsLimit"; readonly count: number }
  | {
    readonly type: "streamReset";
    readonly stream: number;
    readonly code: number;
    readonly finalSize: number;
  }
  | { readonly type: "streamStop"; readonly stream: number; readonly code: number }
  | {
    readonly type: "streamGap";
    readonly stream: number;
    readonly offset: number;
    readonly length: number;
  }
  | { readonly type: "blocked"; readonly stream: number; readonly limit: number };

/** Which bytes a frame carried: what `onAcked` and `onLost` need to know of it. */
export interface ChunkRef {
  /** 1 to 2^32-1. */
  readonly streamId: number;
  /** Of the first byte, in the stream. */
  readonly offset: number;
  /** Bytes; may be 0. */
  readonly length: number;
  /** True when the frame carried the END flag. */
  readonly fin: boolean;
}

/** One frame's worth of a stream, filled by `StreamSet.nextData`; reuse one object for all frames. */
export class StreamChunk implements ChunkRef {
  /** 1 to 2^32-1. */
  streamId: number = 0;
  /** Header flags (SPEC 3): INIT, END, SEGMENT, priority. */
  flags: number = 0;
  /** 0, 2, 4, 5 or 6 (SPEC 8). */
  kind: number = 0;
  /** Of the first byte, in the stream. */
  offset: number = 0;
  /** Sum of the lengths of `parts`. */
  length: number = 0;
  /** True when the stream ends with this chunk: flag END. */
  fin: boolean = false;
  /** True when these bytes were handed out before. */
  retransmission: boolean = false;
  /** Views of the bytes written, valid until the next `nextData` or write. */
  readonly parts: Uint8Array[] = [];

  /** A copy without the bytes, to be kept until the packet is acknowledged or lost. */
  ref(): ChunkRef {
    return { streamId: this.streamId, offset: this.offset, length: this.length, fin: this.fin };
  }
}

/**
 * A piece of a weighted stream, in order: `data` at `offset`, or `gap` bytes from `offset` on that the sender gave up.
 * Data ends at a multiple of 16384, at a gap or at the end of the stream; a gap may be of any length.
 */
export type StreamSegment =
  | { readonly offset: number; readonly data: Uint8Array; readonly gap?: never }
  | { readonly offset: number; readonly gap: number; readonly data?: never };

/** What the set tells the connection, polled with `nextEvent`. */
export type StreamEvent =
  /** The peer opened a stream. */
  | { readonly type: "opened"; readonly id: number; readonly kind: number }
  /** Bytes, a message, or the end can be read. Repeats only after a read returned undefined. */
  | { readonly type: "readable"; readonly id: number }
  /** After a write returned false: the buffer fell to half of its mark. */
  | { readonly type: "writable"; readonly id: number }
  /** The receiving half ended in an error: the peer's RESET, or BUFFER_EXCEEDED found here. */
  | { readonly type: "reset"; readonly id: number; readonly code: number }
  /** The peer wants no more; the set has reset the sending half by itself. */
  | { readonly type: "stopped"; readonly id: number; readonly code: number }
  /** Our half is sent and acknowledged, or reset. */
  | { readonly type: "finished"; readonly id: number }
  /**
   * Both halves are done: from now on the set does not know the id. A half that ended without "reset"
   * was read to its end.
   */
  | { readonly type: "closed"; readonly id: number }
  /** The peer allows more streams. */
  | { readonly type: "streams" };

/** A stream at a glance. */
export interface StreamInfo {
  /** 1 to 2^32-1. */
  readonly id: number;
  /** 0, 2, 4, 5 or 6 (SPEC 8); -1 while only records have named the stream. */
  readonly kind: number;
  /** 0 to 1000. */
  readonly priority: number;
  /** True when this side opened it. */
  readonly local: boolean;
  /** Bytes handed to `write`, length prefixes included. */
  readonly written: number;
  /** Highest offset sent. */
  readonly sent: number;
  /** Highest offset received. */
  readonly received: number;
  /** Unsent plus unacknowledged bytes. */
  readonly sendBuffered: number;
  /** Received and not yet read. */
  readonly recvBuffered: number;
  /** "finishing" and "resetting" wait for the end or the reset to be sent and acknowledged. */
  readonly sendState: "open" | "finishing" | "finished" | "resetting" | "reset";
  /** "ending": the size is known, not all was read; "stopped": by this side. */
  readonly recvState: "open" | "ending" | "ended" | "stopped" | "reset";
  /** Only of weighted streams. */
  readonly weighted?: WeightedStats;
}

/** Counters of a set. */
export interface StreamStats {
  /** Streams that have state now. */
  readonly open: number;
  /** Streams this side opened, ever. */
  readonly opened: number;
  /** Streams the peer opened, ever. */
  readonly accepted: number;
  /** Streams of either side that are done, ever. */
  readonly closed: number;
  /** Unsent plus unacknowledged bytes over all streams. */
  readonly sendBuffered: number;
  /** Bytes received and not read, over all streams. */
  readonly recvBuffered: number;
  /** Highest offsets sent, summed: no byte counts twice. */
  readonly bytesSent: number;
  /** Bytes of retransmissions. */
  readonly bytesResent: number;
  /** Highest offsets received, summed. */
  readonly bytesReceived: number;
  /** Bytes the application took, length prefixes included. */
  readonly bytesRead: number;
  /** Credit left to send over all streams. */
  readonly sendCredit: number;
  /** Weighted streams; all zero without any. */
  readonly weighted: WeightedStats;
  /** Share of the last 1024 packets that was lost, 0 to 1; 0 on reliable transports. */
  readonly loss: number;
}
