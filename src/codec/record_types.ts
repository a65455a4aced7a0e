/** Zero bytes; a run of them is one record. */
export interface PaddingRecord {
  type: "padding";
  /** Bytes, from 1. */
  count: number;
}

/** PING, PONG, PATH_CHALLENGE and PATH_RESPONSE carry 8 bytes to be echoed. */
export interface TokenRecord {
  type: "ping" | "pong" | "pathChallenge" | "pathResponse";
  /** 8 bytes. */
  token: Uint8Array;
}

/** FLOW_CREDIT raises a limit in bytes, BLOCKED says that it holds its sender up. */
export interface LimitRecord {
  type: "flowCredit" | "blocked";
  /** Stream id, or 0 for the session. */
  stream: number;
  /** Bytes, counted from the beginning. */
  limit: number;
}

/** First record of a new epoch of keys. */
export interface KeyRotationRecord {
  type: "keyRotation";
  epoch: number;
}

/** The end of the session. */
export interface SessionCloseRecord {
  type: "sessionClose";
  /** Wire number; the table is `ERRORS`. */
  code: number;
  /** At most 256 bytes, UTF-8 by intention only. */
  reason: Uint8Array;
}

/** Tells the peer of an error; changes nothing. */
export interface ErrorRecord {
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
  type: "streamReset";
  stream: number;
  /** Wire number, or the application's from 0x100 on. */
  code: number;
  /** Bytes that the half counts for flow control. */
  finalSize: number;
}

/** The receiver wants no more of a stream. */
export interface StreamStopRecord {
  type: "streamStop";
  stream: number;
  /** Wire number, or the application's from 0x100 on. */
  code: number;
}

/** Streams that the peer may open in all. */
export interface StreamsLimitRecord {
  type: "streamsLimit";
  count: number;
}

/** A part of a stream that will not be sent (SPEC 11). */
export interface StreamGapRecord {
  type: "streamGap";
  stream: number;
  offset: number;
  length: number;
}

/** Long form of a STREAM frame. */
export interface StreamDataRecord {
  type: "streamData";
  stream: number;
  /** Frame flags (SPEC 3), but for 01, 40 and 80. */
  flags: number;
  /** Stream kind (SPEC 8). */
  kind: number;
  offset: number;
  data: Uint8Array;
}

/** Long form of a DATA frame. */
export interface DatagramRecord {
  type: "datagram";
  channel: number;
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
