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
import type { ByteWriter } from "./byte_writer.ts";
import {
  ACK_MAX_FURTHER_RANGES,
  type AckRecord,
  type SessionRecord,
  TOKEN_BYTES,
} from "./record_types.ts";
import { isStreamKind } from "./stream_payload.ts";
import { varintSize } from "./varint.ts";

const TOKEN_TYPES: Readonly<Record<string, number>> = {
  ping: RECORD_PING,
  pong: RECORD_PONG,
  pathChallenge: RECORD_PATH_CHALLENGE,
  pathResponse: RECORD_PATH_RESPONSE,
};

/**
 * Bytes that {@link writeRecord} takes for `record`.
 *
 * @throws {SttError} `VARINT_RANGE` for a number that is no integer from 0 to 2^53-1.
 */
export function recordSize(record: SessionRecord): number {
  switch (record.type) {
    case "padding":
      return record.count;
    case "ping":
    case "pong":
    case "pathChallenge":
    case "pathResponse":
      return 1 + TOKEN_BYTES;
    case "flowCredit":
    case "blocked":
      return 1 + varintSize(record.stream) + varintSize(record.limit);
    case "keyRotation":
      return 1 + varintSize(record.epoch);
    case "sessionClose":
      return 1 + varintSize(record.code) + bytesSize(record.reason);
    case "error":
      return 1 + varintSize(record.stream) + varintSize(record.code) + bytesSize(record.reason);
    case "ack":
      return ackSize(record);
    case "streamReset":
      return 1 + varintSize(record.stream) + varintSize(record.code) + varintSize(record.finalSize);
    case "streamStop":
      return 1 + varintSize(record.stream) + varintSize(record.code);
    case "streamsLimit":
      return 1 + varintSize(record.count);
    case "streamGap":
      return 1 + varintSize(record.stream) + varintSize(record.offset) + varintSize(record.length);
    case "streamData":
      return 3 + varintSize(record.stream) + varintSize(record.offset) + bytesSize(record.data);
    case "datagram":
      return 1 + varintSize(record.channel) + bytesSize(record.data);
  }
}

/**
 * Writes one record.
 *
 * @throws {SttError} `INTERNAL` when the writer has too little room or the record breaks a rule of SPEC 9 that its
 * receiver checks, `VARINT_RANGE` for a number that is no integer from 0 to 2^53-1.
 *
 * @example
 * ```ts
 * import { ByteWriter, toHex, writeRecord } from "@seigr/stt/codec";
 * import assert from "node:assert/strict";
 * const writer = new ByteWriter(new Uint8Array(16));
 * writeRecord(writer, { type: "flowCredit", stream: 0, limit: 1048576 });
 * assert.equal(toHex(writer.written()), "0300808040");
 * ```
 */
export function writeRecord(writer: ByteWriter, record: SessionRecord): void {
  switch (record.type) {
    case "padding":
      check(record.count >= 1, "padding of no bytes");
      for (let index = 0; index < record.count; index++) writer.u8(RECORD_PADDING);
      return;
    case "ping":
    case "pong":
    case "pathChallenge":
    case "pathResponse":
      check(record.token.length === TOKEN_BYTES, `a token of ${record.token.length} bytes`);
      writer.u8(TOKEN_TYPES[record.type] as number);
      return writer.bytes(record.token);
    case "flowCredit":
    case "blocked":
      writer.u8(record.type === "blocked" ? RECORD_BLOCKED : RECORD_FLOW_CREDIT);
      writeId(writer, record.stream, 0);
      return writer.varint(record.limit);
    case "keyRotation":
      writer.u8(RECORD_KEY_ROTATION);
      return writer.varint(record.epoch);
    case "sessionClose":
      writer.u8(RECORD_SESSION_CLOSE);
      writer.varint(record.code);
      return writeReason(writer, record.reason);
    case "error":
      writer.u8(RECORD_ERROR);
      writeId(writer, record.stream, 0);
      writer.varint(record.code);
      return writeReason(writer, record.reason);
    case "ack":
      return writeAck(writer, record);
    case "streamReset":
      writer.u8(RECORD_STREAM_RESET);
      writeId(writer, record.stream, 1);
      writer.varint(record.code);
      return writer.varint(record.finalSize);
    case "streamStop":
      writer.u8(RECORD_STREAM_STOP);
      writeId(writer, record.stream, 1);
      return writer.varint(record.code);
    case "streamsLimit":
      writer.u8(RECORD_STREAMS_LIMIT);
      return writer.varint(record.count);
    case "streamGap":
      checkEnd(record.offset, record.length);
      writer.u8(RECORD_STREAM_GAP);
      writeId(writer, record.stream, 1);
      writer.varint(record.offset);
      return writer.varint(record.length);
    case "streamData":
      check(isStreamKind(record.kind), `kind ${record.kind}`);
      check((record.flags & (FLAGS_RESERVED | FLAG_FRAGMENT)) === 0, `flags ${record.flags}`);
      checkEnd(record.offset, record.data.length);
      writer.u8(RECORD_STREAM_DATA);
      writeId(writer, record.stream, 1);
      writer.u8(record.flags);
      writer.u8(record.kind);
      writer.varint(record.offset);
      return writeBytes(writer, record.data);
    case "datagram":
      writer.u8(RECORD_DATAGRAM);
      writeId(writer, record.channel, 0);
      return writeBytes(writer, record.data);
  }
}

function bytesSize(bytes: Uint8Array): number {
  return varintSize(bytes.length) + bytes.length;
}

function writeBytes(writer: ByteWriter, bytes: Uint8Array): void {
  writer.varint(bytes.length);
  writer.bytes(bytes);
}

function writeReason(writer: ByteWriter, reason: Uint8Array): void {
  check(reason.length <= REASON_MAX_BYTES, `a reason of ${reason.length} bytes`);
  writeBytes(writer, reason);
}

function writeId(writer: ByteWriter, id: number, lowest: number): void {
  check(id >= lowest && id <= STREAM_ID_MAX, `stream or channel ${id}`);
  writer.varint(id);
}

function ackSize(ack: AckRecord): number {
  let size = 1 + varintSize(ack.largest) + varintSize(ack.delayUs) +
    varintSize(Math.max(ack.ranges.length - 1, 0));
  let previousLow = 0;
  ack.ranges.forEach(([low, high], index) => {
    if (index > 0) size += varintSize(previousLow - high - 2);
    size += varintSize(high - low);
    previousLow = low;
  });
  return size;
}

function writeAck(writer: ByteWriter, ack: AckRecord): void {
  const further = ack.ranges.length - 1;
  check(further >= 0 && further <= ACK_MAX_FURTHER_RANGES, `${further + 1} ACK ranges`);
  check(ack.ranges[0]?.[1] === ack.largest, "an ACK whose first range does not end at its largest");
  writer.u8(RECORD_ACK);
  writer.varint(ack.largest);
  writer.varint(ack.delayUs);
  writer.varint(further);
  let previousLow = 0;
  ack.ranges.forEach(([low, high], index) => {
    const apart = index === 0 || high <= previousLow - 2;
    check(low >= 0 && low <= high && apart, `an ACK range ${low} to ${high}`);
    // Two adjacent ranges would be one, so a gap holds at least one sequence and is written less one.
    if (index > 0) writer.varint(previousLow - high - 2);
    writer.varint(high - low);
    previousLow = low;
  });
}

function checkEnd(offset: number, length: number): void {
  check(offset + length <= Number.MAX_SAFE_INTEGER, `an end at ${offset} + ${length}`);
}

function check(condition: boolean, what: string): void {
  if (!condition) throw new SttError("INTERNAL", `cannot write record: ${what} is not allowed`);
}
