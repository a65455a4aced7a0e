/** Zero bytes; a run of them is one record. */
export interface PaddingRecord {
  /** Which record. */
  type: "padding";
  /** Bytes, from 1. */
  count: number;
}

/** PING, PONG, PATH_CHALLENGE and PATH_RESPONSE carry 8 bytes to be echoed. */
export interface TokenRecord {
  /** Which record. */
  type: "ping" | "pong" | "pathChallenge" | "pathResponse";
  /** 8 bytes. */
  token: Uint8Array;
}

/** FLOW_CREDIT raises a limit in bytes, BLOCKED says that it holds its sender up. */
export interface LimitRecord {
  /** Which record. */
  type: "flowCredit" | "blocked";
  /** Stream id, or 0 for the session. */
  stream: number;
  /** Bytes, counted from the beginning. */
  limit: number;
}

/** First record of a new epoch of keys. */
export interface KeyRotationRecord {
  /** Which record. */
  type: "keyRotation";
  /** The epoch that starts here. */
  epoch: number;
}

/** The end of the session. */
export interface SessionCloseRecord {
  /** Which record. */
  type: "sessionClose";
  /** Wire number; the table is `ERRORS`. */
  code: number;
  /** At most 256 bytes, UTF-8 by intention only. */
  reason: Uint8Array;
}

/** Tells the peer of an error; changes nothing. */
export interface ErrorRecord {
  /** Which record. */
  type: "error";
  /** Stream id, or 0 for the session. */
  stream: number;
  /** Wire number; the table is `ERRORS`. */
  code: number;
  /** At most 256 bytes, UTF-8 by intention only. */
  reason: Uint8Array;
}

/** Packets received. */
export interface AckRecord {
  /** Which record. */
  type: "ack";
  /** Highest sequence acknowledged: the upper end of the first range. */
  largest: number;
  /** Microseconds between the arrival of `largest` and this record. */
  delayUs: number;
  /** 1 to 33 pairs `[low, high]`, both included, from the highest down; at least one sequence lies between two of them. */
  ranges: [low: number, high: number][];
}

/** The sender gives its half of a stream up. */
export interface StreamResetRecord {
  /** Which record. */
  type: "streamReset";
  /** Stream id, from 1. */
  stream: number;
  /** Wire number, or the application's from 0x100 on. */
  code: number;
  /** Bytes that the half counts for flow control. */
  finalSize: number;
}

/** The receiver wants no more of a stream. */
export interface StreamStopRecord {
  /** Which record. */
  type: "streamStop";
  /** Stream id, from 1. */
  stream: number;
  /** Wire number, or the application's from 0x100 on. */
  code: number;
}

/** Streams that the peer may open in all. */
export interface StreamsLimitRecord {
  /** Which record. */
  type: "streamsLimit";
  /** Cumulative: ids given back do not lower it. */
  count: number;
}

/** A part of a stream that will not be sent (SPEC 11). */
export interface StreamGapRecord {
  /** Which record. */
  type: "streamGap";
  /** Stream id, from 1. */
  stream: number;
  /** Offset of the first byte in the stream. */
  offset: number;
  /** Bytes left out; `offset + length` is at most 2^53-1. */
  length: number;
}

/** Long form of a STREAM frame. */
export interface StreamDataRecord {
  /** Which record. */
  type: "streamData";
  /** Stream id, from 1. */
  stream: number;
  /** Frame flags (SPEC 3), but for 01, 40 and 80. */
  flags: number;
  /** Stream kind (SPEC 8). */
  kind: number;
  /** Offset of the first byte in the stream. */
  offset: number;
  /** May be empty. */
  data: Uint8Array;
}

/** Long form of a DATA frame. */
export interface DatagramRecord {
  /** Which record. */
  type: "datagram";
  /** The application's number, 0 to 2^32-1. */
  channel: number;
  /** May be empty. */
  data: Uint8Array;
}

/**
 * One record. Numbers are integers from 0 to 2^53-1, streams and channels to 2^32-1; byte arrays of decoded records
 * are views of the payload.
 */
export type SessionRecord =
  | PaddingRecord
  | TokenRecord
  | LimitRecord
  | KeyRotationRecord
  | SessionCloseRecord
  | ErrorRecord
  | AckRecord
  | StreamResetRecord
  | StreamStopRecord
  | StreamsLimitRecord
  | StreamGapRecord
  | StreamDataRecord
  | DatagramRecord;

/** Most ranges that an ACK holds behind its first. */
export const ACK_MAX_FURTHER_RANGES = 32;
/** Bytes of a PING, PONG, PATH_CHALLENGE or PATH_RESPONSE token. */
export const TOKEN_BYTES = 8;
