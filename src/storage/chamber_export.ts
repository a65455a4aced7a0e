/**
 * The records of a chamber as one sealed stream (SPEC 14.4.8).
 *
 * @module
 */
import { ByteReader } from "../codec/byte_reader.ts";
import { isWellFormed } from "../codec/code_points.ts";
import { decodeValue, encodeValue } from "../codec/values.ts";
import { encodeVarint } from "../codec/varint.ts";
import { SttError } from "../errors.ts";
import { corrupt, DictFields, readCanonical } from "../sealed/fields.ts";
import { CHAMBER_NAME_MAX_BYTES } from "../sealed/chamber_index.ts";

/** What the sealed stream is for: its context. */
export const EXPORT_CONTEXT: Uint8Array = new TextEncoder().encode("stt1 chamber export");

const WHAT = "export of a chamber";
/** A value of 16 MiB, its name, and what is around them. */
const RECORD_MAX_BYTES = 16_777_216 + CHAMBER_NAME_MAX_BYTES + 256;

/** One record on its way. */
export interface ExportedRecord {
  readonly name: string;
  readonly created: number;
  readonly modified: number;
  /** The encoded value. */
  readonly value: Uint8Array;
}

/** The bytes of one record: their number as a varint, and a dict. */
export function encodeExported(record: ExportedRecord): [length: Uint8Array, dict: Uint8Array] {
  const { name, created, modified, value } = record;
  const dict = encodeValue({ name, created, modified, value });
  return [encodeVarint(dict.length), dict];
}

/** The records of an export. @throws {SttError} STORAGE_CORRUPT. */
export async function* decodeExported(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<ExportedRecord, void, void> {
  let buffer: Uint8Array = new Uint8Array(0);
  let used = 0;
  for await (const chunk of source) {
    if (used + chunk.length > buffer.length) {
      // Twice as large each time: the pieces of a record may be as small as a byte.
      const larger = new Uint8Array(Math.max(2 * buffer.length, used + chunk.length));
      larger.set(buffer.subarray(0, used));
      buffer = larger;
    }
    buffer.set(chunk, used);
    used += chunk.length;
    let at = 0;
    for (
      let found = nextRecord(buffer.subarray(0, used));
      found !== undefined;
      found = nextRecord(buffer.subarray(at, used))
    ) {
      at += found.size;
      yield found.record;
    }
    buffer.copyWithin(0, at, used);
    used -= at;
  }
  if (used > 0) throw corrupt(WHAT, "it ends within a record");
}

function nextRecord(
  bytes: Uint8Array,
): { readonly record: ExportedRecord; readonly size: number } | undefined {
  const reader = new ByteReader(bytes);
  let length: number;
  try {
    length = reader.varint();
  } catch (error) {
    if (error instanceof SttError && error.code === "VARINT_INCOMPLETE") return undefined;
    throw corrupt(WHAT, "malformed length", error);
  }
  if (length > RECORD_MAX_BYTES) throw corrupt(WHAT, `a record of ${length} bytes`);
  if (reader.remaining < length) return undefined;
  // A copy: what follows is written over it.
  const record = parseRecord(reader.bytes(length).slice());
  return { record, size: reader.offset };
}

function parseRecord(bytes: Uint8Array): ExportedRecord {
  const value = readCanonical(WHAT, bytes, { maxDepth: 1, maxEntries: 4 });
  const fields = new DictFields(WHAT, value, ["created", "modified", "name", "value"]);
  const name = fields.raw("name");
  if (typeof name !== "string" || !isWellFormed(name)) throw corrupt(WHAT, "a name is no string");
  const encoded = fields.bytes("value");
  try {
    decodeValue(encoded);
  } catch (cause) {
    throw corrupt(WHAT, "a value is malformed", cause);
  }
  return {
    name,
    created: fields.integer("created", 0, Number.MAX_SAFE_INTEGER),
    modified: fields.integer("modified", 0, Number.MAX_SAFE_INTEGER),
    value: encoded,
  };
}
