/** Varint, value, frame, message, record and stream operations over `src/codec` and `src/handshake`. @module */
import {
  ByteWriter,
  decodeFrame,
  decodeRecords,
  decodeValue,
  decodeVarint,
  encodeFrame,
  encodeValue,
  encodeVarint,
  type Frame,
  FrameAssembler,
  fromHex,
  parseStreamPayload,
  recordSize,
  type SessionRecord,
  StreamPayload,
  streamPayloadHeaderSize,
  toHex,
  varintSize,
  writeRecord,
  writeStreamPayloadHeader,
} from "../../src/codec/mod.ts";
import { FRAME_MAX_BODY } from "../../src/constants.ts";
import { SttError } from "../../src/errors.ts";
import { decodeMessage, encodeMessage } from "../../src/handshake/messages.ts";
import {
  type Arguments,
  fromFields,
  fromTyped,
  integer,
  type Operation,
  RefusedOperation,
  toFields,
  toTyped,
} from "./notation.ts";

export const CODEC_OPS: Readonly<Record<string, Operation>> = {
  "varint.encode": (a) => ({ hex: toHex(encodeVarint(integer(a.value))) }),
  "varint.size": (a) => ({ size: varintSize(integer(a.value)) }),
  "varint.decode": (a) => {
    const { value, size } = decodeVarint(fromHex(a.hex), a.offset ?? 0);
    return { value: value.toString(), size };
  },
  "value.encode": (a) => ({ hex: toHex(encodeValue(fromTyped(a.value))) }),
  "value.decode": (a) => ({
    value: toTyped(decodeValue(fromHex(a.hex), {
      canonical: a.canonical === true,
      ...(a.max_depth === undefined ? {} : { maxDepth: a.max_depth }),
      ...(a.max_entries === undefined ? {} : { maxEntries: a.max_entries }),
    })),
  }),
  "frame.encode": (a) => ({ hex: toHex(encodeFrame(fromFrame(a.frame))) }),
  "frame.decode": (a) => {
    const { frame, size } = decodeFrame(fromHex(a.hex));
    return { frame: toFrame(frame), consumed: size };
  },
  "frame.assemble": assemble,
  "message.encode": (a) => ({ hex: toHex(encodeValue(fromFields(a.fields))) }),
  "message.decode": (a) => {
    const value = decodeValue(fromHex(a.hex));
    if (!(value instanceof Map)) {
      throw new SttError("HANDSHAKE_MESSAGE", "cannot decode message: no dict");
    }
    return { fields: toFields(value) };
  },
  "message.frame": (a) => ({ frame: toHex(encodeMessage(fromFields(a.fields))) }),
  "message.parse": (a) => {
    const message = decodeMessage(fromHex(a.frame));
    if (message.type === "refused") throw new RefusedOperation(message.reason);
    return { type: message.type, fields: toFields(message.fields) };
  },
  "record.encode": (a) => {
    const record = fromRecord(a.record, a.fields);
    const writer = new ByteWriter(new Uint8Array(recordSize(record)));
    writeRecord(writer, record);
    return { hex: toHex(writer.written()) };
  },
  "records.decode": (a) => {
    const { records, error } = decodeRecords(fromHex(a.hex));
    const plain = records.flatMap(toRecords);
    return error === undefined ? { records: plain } : { records: plain, error: error.code };
  },
  "stream.encode": (a) => {
    const offset = Number(a.offset);
    const data = fromHex(a.data);
    const bytes = new Uint8Array(streamPayloadHeaderSize(offset) + data.length);
    bytes.set(data, writeStreamPayloadHeader(bytes, 0, a.kind, offset));
    return { hex: toHex(bytes) };
  },
  "stream.decode": (a) => {
    const { kind, offset, data } = parseStreamPayload(fromHex(a.hex), new StreamPayload());
    return { kind, offset: String(offset), data: toHex(data) };
  },
};

function fromFrame(frame: Arguments): Frame {
  return {
    type: frame.frame_type,
    flags: frame.flags,
    sessionId: fromHex(frame.session_id),
    sequence: integer(frame.sequence),
    timestamp: integer(frame.timestamp),
    streamId: frame.stream_id,
    metadata: fromHex(frame.crypto_metadata ?? ""),
    payload: fromHex(frame.payload),
  };
}

function toFrame(frame: Frame): unknown {
  return {
    frame_type: frame.type,
    flags: frame.flags,
    session_id: toHex(frame.sessionId),
    sequence: frame.sequence.toString(),
    timestamp: frame.timestamp.toString(),
    stream_id: frame.streamId,
    crypto_metadata: frame.metadata.length === 0 ? null : toHex(frame.metadata),
    payload: toHex(frame.payload),
  };
}

function assemble(a: Arguments): unknown {
  const assembler = new FrameAssembler(a.max_body ?? FRAME_MAX_BODY);
  const frames: string[] = [];
  try {
    for (const chunk of a.chunks) {
      assembler.push(fromHex(chunk));
      for (let frame = assembler.next(); frame !== undefined; frame = assembler.next()) {
        frames.push(toHex(frame));
      }
    }
  } catch (error) {
    if (!(error instanceof SttError)) throw error;
    return { frames, pending: 0, error: error.code };
  }
  return { frames, pending: assembler.bufferedBytes };
}

type Kind = SessionRecord["type"];

const TYPES: Readonly<Record<string, Kind>> = {
  PADDING: "padding",
  PING: "ping",
  PONG: "pong",
  FLOW_CREDIT: "flowCredit",
  KEY_ROTATION: "keyRotation",
  SESSION_CLOSE: "sessionClose",
  ERROR: "error",
  ACK: "ack",
  STREAM_RESET: "streamReset",
  STREAM_STOP: "streamStop",
  STREAMS_LIMIT: "streamsLimit",
  PATH_CHALLENGE: "pathChallenge",
  PATH_RESPONSE: "pathResponse",
  STREAM_GAP: "streamGap",
  BLOCKED: "blocked",
  STREAM_DATA: "streamData",
  DATAGRAM: "datagram",
};

const NAMES: ReadonlyMap<Kind, string> = new Map(
  Object.entries(TYPES).map(([name, type]) => [type, name]),
);

/** Names of the data and of `src/` where they differ. */
const FIELDS: readonly (readonly [string, string])[] = [
  ["final_size", "finalSize"],
  ["delay", "delayUs"],
  ["bytes", "data"],
];

function fromRecord(name: string, fields: Arguments): SessionRecord {
  const record: Record<string, unknown> = { type: TYPES[name] };
  if (name === "PADDING") record.count = 1;
  for (const [wire, field] of Object.entries<Arguments>(fields)) {
    const own = FIELDS.find(([data]) => data === wire)?.[1] ?? wire;
    record[own] = Array.isArray(field)
      ? field.map(([low, high]) => [Number(low), Number(high)])
      : field.bytes === undefined
      ? Number(field.int)
      : fromHex(field.bytes);
  }
  return record as unknown as SessionRecord;
}

function toRecords(record: SessionRecord): unknown[] {
  const name = NAMES.get(record.type);
  if (record.type === "padding") {
    return Array.from({ length: record.count }, () => ({ record: name, fields: {} }));
  }
  const fields: Record<string, unknown> = {};
  for (const [own, value] of Object.entries(record)) {
    if (own === "type") continue;
    const wire = FIELDS.find(([, field]) => field === own)?.[0] ?? own;
    fields[wire] = value instanceof Uint8Array
      ? { bytes: toHex(value) }
      : Array.isArray(value)
      ? value.map(([low, high]: number[]) => [String(low), String(high)])
      : { int: String(value) };
  }
  return [{ record: name, fields }];
}
