/**
 * Records (SPEC 9) in words: the plaintext of CONTROL frames, for who has it.
 *
 * @module
 */
import { toHex } from "../../codec/hex.ts";
import { decodeRecords, type SessionRecord } from "../../codec/records.ts";
import { errorCodeOf, ERRORS } from "../../errors.ts";
import { bytesText, fault, type Note, note, stringText } from "./note.ts";

const RECORDS_SHOWN = 10_000;

/** Records back to back. */
export function dissectRecords(bytes: Uint8Array): Note[] {
  const { records, error } = decodeRecords(bytes);
  const notes = records.slice(0, RECORDS_SHOWN).map(recordNote);
  if (records.length > notes.length) notes.push(note("…", `${records.length - notes.length} more`));
  if (error !== undefined) notes.push(fault("record", error));
  return notes;
}

function recordNote(record: SessionRecord): Note {
  const fields = Object.entries(record).filter(([name]) => name !== "type").map(([name, value]) =>
    note(name, fieldText(name, value))
  );
  return { label: recordName(record.type), text: "", children: fields };
}

/** `streamReset` as STREAM_RESET. */
function recordName(type: string): string {
  return type.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

function fieldText(name: string, value: unknown): string {
  if (name === "code" && typeof value === "number") {
    const code = errorCodeOf(value);
    return `0x${value.toString(16)} ${code}: ${ERRORS[code].text}`;
  }
  if (name === "ranges" && Array.isArray(value)) {
    return value.map((range: unknown) => Array.isArray(range) ? range.join("-") : "").join(", ");
  }
  if (value instanceof Uint8Array) {
    if (name === "reason") return stringText(new TextDecoder().decode(value));
    return name === "token" ? toHex(value) : bytesText(value);
  }
  return String(value);
}
