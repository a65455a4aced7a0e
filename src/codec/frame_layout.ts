import { FRAME_FIXED_BYTES, FRAME_MIN_BODY, MAGIC_0, MAGIC_1 } from "../constants.ts";
import { SttError } from "../errors.ts";
import { decodeError } from "./decode_error.ts";
import { readVarintNumber, varintSize } from "./varint.ts";

/**
 * Reads magic and body length (SPEC 3) at `start`, looking no further than `end`.
 *
 * @param origin Subtracted from the offsets in errors: 0 for one array, or where the stream's first byte would be.
 * @returns The body length, or -1 while a correct beginning is too short to tell. The body then starts at
 * `start + 2 + varintSize(length)`, because the length is minimal.
 * @throws {SttError} `FRAME_MAGIC`, `FRAME_LENGTH`, `FRAME_TOO_SMALL`, `FRAME_TOO_LARGE` at the first wrong byte.
 */
export function scanBodyLength(
  bytes: Uint8Array,
  start: number,
  end: number,
  maxBody: number,
  origin: number,
): number {
  if (start < end && bytes[start] !== MAGIC_0) throw magicError(bytes, start, origin);
  if (start + 1 < end && bytes[start + 1] !== MAGIC_1) throw magicError(bytes, start + 1, origin);
  const at = start + 2;
  let length = 0;
  for (let index = 0; index < 4; index++) {
    if (at + index >= end) return -1;
    const byte = bytes[at + index] as number;
    length |= (byte & 0x7f) << (7 * index);
    if (byte >= 0x80) continue;
    if (byte === 0 && index > 0) {
      throw decodeError("FRAME_LENGTH", "frame", "body length is not minimal", at - origin);
    }
    checkBodyLength(length, maxBody, at - origin);
    return length;
  }
  // SPEC 3: the codec's limit of 2 MiB takes four bytes; a longer length is wrong whatever follows.
  throw decodeError("FRAME_LENGTH", "frame", "body length takes more than 4 bytes", at - origin, 4);
}

function checkBodyLength(length: number, maxBody: number, offset: number): void {
  if (length < FRAME_MIN_BODY) {
    throw decodeError(
      "FRAME_TOO_SMALL",
      "frame",
      `body length ${length} is below ${FRAME_MIN_BODY}`,
      offset,
      FRAME_MIN_BODY,
    );
  }
  if (length > maxBody) {
    throw decodeError(
      "FRAME_TOO_LARGE",
      "frame",
      `body length ${length} exceeds ${maxBody}`,
      offset,
      maxBody,
    );
  }
}

function magicError(bytes: Uint8Array, at: number, origin: number): SttError {
  const byte = (bytes[at] as number).toString(16).padStart(2, "0");
  return decodeError("FRAME_MAGIC", "frame", `byte ${byte} where 53 54 starts it`, at - origin);
}

/**
 * Reads the metadata length of the body `[bodyStart, bodyEnd)`, of which the bytes before `end` are there.
 *
 * @returns The metadata length, or -1 while there are too few bytes to tell.
 * @throws {SttError} `FRAME_METADATA_LENGTH`, `FRAME_METADATA_OVERRUN`.
 */
export function scanMetadataLength(
  bytes: Uint8Array,
  bodyStart: number,
  bodyEnd: number,
  end: number,
  origin: number,
): number {
  const at = bodyStart + FRAME_FIXED_BYTES;
  const known = Math.min(end, bodyEnd);
  if (at < known && bytes[at] === 0) return 0;
  // Ten bytes always decide about a varint, and so does the end of the body.
  if (known < bodyEnd && known < at + 10 && !endsWithin(bytes, at, known)) return -1;
  const length = readMetadataLength(bytes, at, bodyEnd, origin);
  const room = bodyEnd - at - varintSize(length);
  if (length > room) {
    throw decodeError(
      "FRAME_METADATA_OVERRUN",
      "frame",
      `metadata length ${length} exceeds ${room}`,
      at - origin,
      room,
    );
  }
  return length;
}

function endsWithin(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    if ((bytes[at] as number) < 0x80) return true;
  }
  return false;
}

function readMetadataLength(
  bytes: Uint8Array,
  at: number,
  bodyEnd: number,
  origin: number,
): number {
  try {
    return readVarintNumber(bytes, at, bodyEnd);
  } catch (cause) {
    // A number above 2^53-1 is a valid varint: what is wrong with it is that it passes the body.
    const overrun = cause instanceof SttError && cause.code === "VARINT_RANGE";
    throw new SttError(
      overrun ? "FRAME_METADATA_OVERRUN" : "FRAME_METADATA_LENGTH",
      `cannot decode frame: metadata length ${
        overrun ? "exceeds the body" : "is not a valid varint"
      }` +
        ` (offset ${at - origin})`,
      { offset: at - origin, cause },
    );
  }
}
