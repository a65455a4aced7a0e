/**
 * What names and values a chamber takes.
 *
 * @module
 */
import { isWellFormed } from "../codec/code_points.ts";
import { encodeValue, type SttValue } from "../codec/values.ts";
import { SttError } from "../errors.ts";
import { CHAMBER_NAME_MAX_BYTES } from "../sealed/chamber_index.ts";

/** Largest value, encoded, in bytes. */
export const CHAMBER_VALUE_MAX_BYTES = 16_777_216;

/** @throws {SttError} CONFIG. */
export function checkName(name: string): string {
  if (typeof name !== "string" || !isWellFormed(name)) {
    throw new SttError("CONFIG", "cannot use record name: it is no well-formed string");
  }
  const bytes = new TextEncoder().encode(name).length;
  if (bytes >= 1 && bytes <= CHAMBER_NAME_MAX_BYTES) return name;
  throw new SttError(
    "CONFIG",
    `cannot use record name: ${bytes} bytes is not within 1 to ${CHAMBER_NAME_MAX_BYTES}`,
    { limit: CHAMBER_NAME_MAX_BYTES },
  );
}

/** The bytes of a value. @throws {SttError} VALUE_TYPE, VALUE_RANGE, VALUE_DEPTH, STORAGE_FULL. */
export function encodeRecordValue(name: string, value: SttValue): Uint8Array {
  return checkSize(name, encodeValue(value));
}

/** @throws {SttError} STORAGE_FULL. */
export function checkSize(name: string, bytes: Uint8Array): Uint8Array {
  if (bytes.length <= CHAMBER_VALUE_MAX_BYTES) return bytes;
  throw new SttError(
    "STORAGE_FULL",
    `cannot write record ${
      JSON.stringify(name.slice(0, 64))
    }: ${bytes.length} bytes are above the ` +
      `limit of ${CHAMBER_VALUE_MAX_BYTES}`,
    { limit: CHAMBER_VALUE_MAX_BYTES },
  );
}
