import {
  FLAG_FRAGMENT,
  FLAGS_RESERVED,
  REASON_MAX_BYTES,
  RECORD_ACK,
  RECORD_BLOCKED,
  RECORD_DATAGRAM,
  RECORD_ERROR,
  RECORD_FLOW_CREDIT,
  RECORD_KEY_ROTATION,
  RECORD_PADDING,
  RECORD_PATH_CHALLENGE,
  RECORD_PATH_RESPONSE,
  RECORD_PING,
  RECORD_PONG,
  RECORD_SESSION_CLOSE,
  RECORD_STREAM_DATA,
  RECORD_STREAM_GAP,
  RECORD_STREAM_RESET,
  RECORD_STREAM_STOP,
  RECORD_STREAMS_LIMIT,
  STREAM_ID_MAX,
} from "../constants.ts";
import { SttError } from "../errors.ts";
import { ByteReader } from "./byte_reader.ts";
import {
  ACK_MAX_FURTHER_RANGES,
  type AckRecord,
  type SessionRecord,
  type StreamDataRecord,
  TOKEN_BYTES,
} from "./record_types.ts";
import { isStreamKind } from "./stream_payload.ts";

/** What {@link decodeRecords} found. */
export interface DecodedRecords {
  /** All records before the end or the first wrong one, in order. */
  records: SessionRecord[];
  /** `PROTOCOL`, when a record is wrong: the session closes with it after acting upon `records`. */
  error?: SttError;
}

/**
 * Decodes the decrypted payload of a CONTROL frame. Never throws on any input. Byte arrays are views of `payload`.
 *
 * @example
 * ```ts
 * import { decodeRecords, fromHex } from "@seigr/stt/codec";
 * import assert from "node:assert/strict";
 * const { records, error } = decodeRecords(fromHex("0300808040" + "0b"));
 * assert.deepEqual(records, [{ type: "flowCredit", stream: 0, limit: 1048576 }]);
 * assert.equal(error?.code, "PROTOCOL");
 * ```
 */
export function decodeRecords(payload: Uint8Array): DecodedRecords {
  const records: SessionRecord[] = [];
  const reader = new ByteReader(payload);
  let start = 0;
  try {
    if (payload.length === 0) throw wrong("the payload is empty");
    while (reader.remaining > 0) {
      start = reader.offset;
      records.push(readRecord(reader, payload));
    }
    return { records };
  } catch (cause) {
    if (!(cause instanceof SttError)) throw cause;
    const type = payload[start];
    const name = type === undefined ? "records" : `record ${type.toString(16).padStart(2, "0")}`;
    const error = new SttError(
      "PROTOCOL",
      `cannot decode ${name} at offset ${start}: ${cause.message}`,
      {
        offset: start,
        cause,
      },
    );
    return { records, error };
  }
}

function readRecord(reader: ByteReader, payload: Uint8Array): SessionRecord {
  const type = reader.u8();
  switch (type) {
    case RECORD_PADDING:
      return readPadding(reader, payload);
    case RECORD_PING:
      return { type: "ping", token: reader.bytes(TOKEN_BYTES) };
    case RECORD_PONG:
      return { type: "pong", token: reader.bytes(TOKEN_BYTES) };
    case RECORD_PATH_CHALLENGE:
      return { type: "pathChallenge", token: reader.bytes(TOKEN_BYTES) };
    case RECORD_PATH_RESPONSE:
      return { type: "pathResponse", token: reader.bytes(TOKEN_BYTES) };
    case RECORD_FLOW_CREDIT:
      return { type: "flowCredit", stream: readId(reader, 0), limit: reader.varint() };
    case RECORD_BLOCKED:
      return { type: "blocked", stream: readId(reader, 0), limit: reader.varint() };
    case RECORD_KEY_ROTATION:
      return { type: "keyRotation", epoch: reader.varint() };
    case RECORD_SESSION_CLOSE:
      return { type: "sessionClose", code: reader.varint(), reason: readReason(reader) };
    case RECORD_ERROR: {
      const stream = readId(reader, 0);
      return { type: "error", stream, code: reader.varint(), reason: readReason(reader) };
    }
    case RECORD_ACK:
      return readAck(reader);
    case RECORD_STREAM_RESET: {
      const stream = readId(reader, 1);
      return { type: "streamReset", stream, code: reader.varint(), finalSize: reader.varint() };
    }
    case RECORD_STREAM_STOP:
      return { type: "streamStop", stream: readId(reader, 1), code: reader.varint() };
    case RECORD_STREAMS_LIMIT:
      return { type: "streamsLimit", count: reader.varint() };
    case RECORD_STREAM_GAP: {
      const stream = readId(reader, 1);
      const offset = reader.varint();
      const length = reader.varint();
      checkEnd(offset, length);
      return { type: "streamGap", stream, offset, length };
    }
    case RECORD_STREAM_DATA:
      return readStreamData(reader);
    case RECORD_DATAGRAM: {
      const channel = readId(reader, 0);
      return { type: "datagram", channel, data: reader.bytes(reader.varint()) };
    }
    default:
      throw wrong("the type is unknown");
  }
}

/** A run is one record, so that padding cannot multiply the memory of a payload. */
function readPadding(reader: ByteReader, payload: Uint8Array): SessionRecord {
  let count = 1;
  while (reader.offset < reader.end && payload[reader.offset] === RECORD_PADDING) {
    reader.offset++;
    count++;
  }
  return { type: "padding", count };
}

function readId(reader: ByteReader, lowest: number): number {
  const id = reader.varint();
  if (id < lowest || id > STREAM_ID_MAX) {
    throw wrong(`stream or channel ${id} is not between ${lowest} and ${STREAM_ID_MAX}`);
  }
  return id;
}

function readReason(reader: ByteReader): Uint8Array {
  const length = reader.varint();
  if (length > REASON_MAX_BYTES) {
    throw wrong(`reason length ${length} exceeds ${REASON_MAX_BYTES}`);
  }
  return reader.bytes(length);
}

function readAck(reader: ByteReader): AckRecord {
  const largest = reader.varint();
  const delayUs = reader.varint();
  const further = reader.varint();
  if (further > ACK_MAX_FURTHER_RANGES) {
    throw wrong(`${further} further ranges exceed ${ACK_MAX_FURTHER_RANGES}`);
  }
  let low = below(largest, reader.varint(), "range");
  const ranges: [number, number][] = [[low, largest]];
  for (let index = 0; index < further; index++) {
    const high = below(low, reader.varint() + 2, "gap");
    low = below(high, reader.varint(), "range");
    ranges.push([low, high]);
  }
  return { type: "ack", largest, delayUs, ranges };
}

function below(from: number, distance: number, what: string): number {
  if (distance > from) throw wrong(`an ACK ${what} passes below sequence 0`);
  return from - distance;
}

function readStreamData(reader: ByteReader): StreamDataRecord {
  const stream = readId(reader, 1);
  const flags = reader.u8();
  if ((flags & (FLAGS_RESERVED | FLAG_FRAGMENT)) !== 0) {
    throw wrong(`flags ${flags} are not allowed`);
  }
  const kind = reader.u8();
  if (!isStreamKind(kind)) throw wrong(`kind ${kind} does not exist`);
  const offset = reader.varint();
  const length = reader.varint();
  checkEnd(offset, length);
  return { type: "streamData", stream, flags, kind, offset, data: reader.bytes(length) };
}

function checkEnd(offset: number, length: number): void {
  if (length > Number.MAX_SAFE_INTEGER - offset) {
    throw wrong(`offset ${offset} and length ${length} pass ${Number.MAX_SAFE_INTEGER}`);
  }
}

function wrong(why: string): SttError {
  return new SttError("PROTOCOL", why);
}
