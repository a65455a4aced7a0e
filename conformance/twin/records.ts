/** SPEC 9 (records of CONTROL) and the STREAM payload of SPEC 8, spelled out. @module */
import { concat, hex, Refusal, unhex } from "./bytes.ts";
import { decodeVarint, encodeVarint, SAFE_MAX } from "./varint.ts";

/** A scalar in the notation of the data files. */
export type Scalar = { readonly int: string } | { readonly bytes: string };
export type Range = readonly [string, string];

export interface RecordFields {
  readonly record: string;
  readonly fields: Readonly<Record<string, Scalar | readonly Range[]>>;
}

type FieldKind =
  | "varint"
  | "stream"
  | "session or stream"
  | "token"
  | "reason"
  | "bytes"
  | "flags"
  | "kind";

/** Type number and fields in wire order; ACK has a shape of its own. */
const LAYOUT: Readonly<
  Record<string, readonly [number, readonly (readonly [string, FieldKind])[]]>
> = {
  PADDING: [0x00, []],
  PING: [0x01, [["token", "token"]]],
  PONG: [0x02, [["token", "token"]]],
  FLOW_CREDIT: [0x03, [["stream", "session or stream"], ["limit", "varint"]]],
  KEY_ROTATION: [0x04, [["epoch", "varint"]]],
  SESSION_CLOSE: [0x05, [["code", "varint"], ["reason", "reason"]]],
  ERROR: [0x06, [["stream", "session or stream"], ["code", "varint"], ["reason", "reason"]]],
  ACK: [0x07, []],
  STREAM_RESET: [0x08, [["stream", "stream"], ["code", "varint"], ["final_size", "varint"]]],
  STREAM_STOP: [0x09, [["stream", "stream"], ["code", "varint"]]],
  STREAMS_LIMIT: [0x0a, [["count", "varint"]]],
  PATH_CHALLENGE: [0x0c, [["token", "token"]]],
  PATH_RESPONSE: [0x0d, [["token", "token"]]],
  STREAM_GAP: [0x0e, [["stream", "stream"], ["offset", "varint"], ["length", "varint"]]],
  BLOCKED: [0x0f, [["stream", "session or stream"], ["limit", "varint"]]],
  STREAM_DATA: [0x10, [
    ["stream", "stream"],
    ["flags", "flags"],
    ["kind", "kind"],
    ["offset", "varint"],
    ["bytes", "bytes"],
  ]],
  // SPEC 9 lists the records in which stream 0 is allowed, but a channel is no stream: DATA has channel 0 too.
  DATAGRAM: [0x11, [["channel", "session or stream"], ["bytes", "bytes"]]],
};

const U32_MAX = 2n ** 32n - 1n;

export const RECORD_NAMES: readonly string[] = Object.keys(LAYOUT);

export function encodeRecord(record: RecordFields): Uint8Array {
  const layout = LAYOUT[record.record];
  if (layout === undefined) throw new Error(`unknown record ${record.record}`);
  if (record.record === "ACK") return concat(Uint8Array.of(0x07), ackBody(record));
  const parts = layout[1].map(([name, kind]) => {
    const scalar = record.fields[name] as Scalar;
    if (kind === "token") return unhex((scalar as { bytes: string }).bytes);
    if (kind === "reason" || kind === "bytes") {
      const bytes = unhex((scalar as { bytes: string }).bytes);
      return concat(encodeVarint(BigInt(bytes.length)), bytes);
    }
    const value = BigInt((scalar as { int: string }).int);
    return kind === "flags" || kind === "kind" ? Uint8Array.of(Number(value)) : encodeVarint(value);
  });
  const bytes = concat(Uint8Array.of(layout[0]), ...parts);
  // What a decoder would refuse is not encoded either.
  const check = decodeRecords(bytes);
  if (check.refused) throw new Refusal("PROTOCOL");
  return bytes;
}

function ackBody(record: RecordFields): Uint8Array {
  const ranges = (record.fields.ranges as readonly Range[]).map(([low, high]) =>
    [BigInt(low), BigInt(high)] as const
  );
  const number = (name: string): bigint => BigInt((record.fields[name] as { int: string }).int);
  const parts = [number("largest"), number("delay"), BigInt(ranges.length - 1)];
  let previousLow: bigint | undefined;
  for (const [low, high] of ranges) {
    if (previousLow !== undefined) parts.push(previousLow - high - 2n);
    parts.push(high - low);
    previousLow = low;
  }
  if (ranges.length > 33 || parts.some((part) => part < 0n)) throw new Refusal("PROTOCOL");
  if (ranges[0]?.[1] !== number("largest")) throw new Refusal("PROTOCOL");
  return concat(...parts.map((part) => encodeVarint(part)));
}

export interface DecodedRecords {
  readonly records: RecordFields[];
  /** True when a record behind these was refused with PROTOCOL. */
  readonly refused: boolean;
}

export function decodeRecords(payload: Uint8Array): DecodedRecords {
  const records: RecordFields[] = [];
  if (payload.length === 0) return { records, refused: true };
  const cursor = new Cursor(payload);
  try {
    while (cursor.offset < payload.length) records.push(readRecord(cursor));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { records, refused: true };
  }
  return { records, refused: false };
}

class Cursor {
  readonly bytes: Uint8Array;
  offset = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  take(length: number): Uint8Array {
    if (this.offset + length > this.bytes.length) throw new Refusal("PROTOCOL");
    this.offset += length;
    return this.bytes.subarray(this.offset - length, this.offset);
  }

  varint(): bigint {
    const { value, size } = decodeVarint(this.bytes, this.offset);
    if (value > SAFE_MAX) throw new Refusal("PROTOCOL");
    this.offset += size;
    return value;
  }
}

function readRecord(cursor: Cursor): RecordFields {
  const type = cursor.take(1)[0] as number;
  const found = Object.entries(LAYOUT).find(([, layout]) => layout[0] === type);
  if (found === undefined) throw new Refusal("PROTOCOL");
  const [record, [, layout]] = found;
  if (record === "ACK") return { record, fields: readAck(cursor) };
  const fields: Record<string, Scalar> = {};
  for (const [name, kind] of layout) fields[name] = readField(cursor, kind);
  if (record === "STREAM_DATA") checkEnd(fields.offset, byteLength(fields.bytes));
  if (record === "STREAM_GAP") {
    checkEnd(fields.offset, BigInt((fields.length as { int: string }).int));
  }
  return { record, fields };
}

function byteLength(scalar: Scalar | undefined): bigint {
  return BigInt((scalar as { bytes: string }).bytes.length / 2);
}

function checkEnd(offset: Scalar | undefined, length: bigint): void {
  if (BigInt((offset as { int: string }).int) + length > SAFE_MAX) throw new Refusal("PROTOCOL");
}

function readField(cursor: Cursor, kind: FieldKind): Scalar {
  switch (kind) {
    case "token":
      return { bytes: hex(cursor.take(8)) };
    case "flags": {
      const flags = cursor.take(1)[0] as number;
      if ((flags & 0xc1) !== 0) throw new Refusal("PROTOCOL");
      return { int: String(flags) };
    }
    case "kind":
      return { int: String(checkKind(cursor.take(1)[0] as number)) };
    case "reason":
    case "bytes": {
      const length = cursor.varint();
      if (kind === "reason" && length > 256n) throw new Refusal("PROTOCOL");
      if (length > BigInt(cursor.bytes.length - cursor.offset)) throw new Refusal("PROTOCOL");
      return { bytes: hex(cursor.take(Number(length))) };
    }
    default: {
      const value = cursor.varint();
      if (kind !== "varint" && value > U32_MAX) throw new Refusal("PROTOCOL");
      if (kind === "stream" && value === 0n) throw new Refusal("PROTOCOL");
      return { int: value.toString() };
    }
  }
}

function checkKind(kind: number): number {
  // SPEC 8: unordered delivery implies messages and is sent as 5, so 1 alone is no kind.
  if (kind > 7 || kind === 1 || (kind & 3) === 3) throw new Refusal("PROTOCOL");
  return kind;
}

function readAck(cursor: Cursor): Record<string, Scalar | readonly Range[]> {
  const largest = cursor.varint();
  const delay = cursor.varint();
  const count = cursor.varint();
  if (count > 32n) throw new Refusal("PROTOCOL");
  let high = largest;
  let low = high - cursor.varint();
  if (low < 0n) throw new Refusal("PROTOCOL");
  const ranges: Range[] = [[low.toString(), high.toString()]];
  for (let i = 0n; i < count; i++) {
    high = low - (cursor.varint() + 1n) - 1n;
    low = high - cursor.varint();
    if (low < 0n) throw new Refusal("PROTOCOL");
    ranges.push([low.toString(), high.toString()]);
  }
  return { largest: { int: largest.toString() }, delay: { int: delay.toString() }, ranges };
}

/** Payload of a STREAM frame. */
export interface StreamPayload {
  readonly kind: number;
  readonly offset: string;
  readonly data: string;
}

export function encodeStreamPayload(payload: StreamPayload): Uint8Array {
  checkKind(payload.kind);
  const data = unhex(payload.data);
  checkEnd({ int: payload.offset }, BigInt(data.length));
  return concat(Uint8Array.of(payload.kind), encodeVarint(BigInt(payload.offset)), data);
}

export function decodeStreamPayload(bytes: Uint8Array): StreamPayload {
  const cursor = new Cursor(bytes);
  const kind = checkKind(cursor.take(1)[0] as number);
  let offset: bigint;
  try {
    offset = cursor.varint();
  } catch {
    throw new Refusal("PROTOCOL");
  }
  const data = bytes.subarray(cursor.offset);
  checkEnd({ int: offset.toString() }, BigInt(data.length));
  return { kind, offset: offset.toString(), data: hex(data) };
}
