import { SttError } from "../errors.ts";
import { decodeError } from "./decode_error.ts";
import { readVarintNumber, varintSize, writeVarint } from "./varint.ts";

const EMPTY: Uint8Array = new Uint8Array(0);

/** Content of a STREAM frame's payload, overwritten by {@link parseStreamPayload}. */
export class StreamPayload {
  /** Stream kind (SPEC 8): 0, 2, 4, 5 or 6. */
  kind = 0;
  /** Offset of the first byte of `data` in the stream; `offset + data.length` is at most 2^53-1. */
  offset = 0;
  /** A view of the payload. */
  data: Uint8Array = EMPTY;
}

/**
 * True for the stream kinds that SPEC 8 defines: delivery 0, 1 or 2 in bits 0-1, messages in bit 2, nothing else.
 * Unordered delivery is messages only, so 1 alone is no kind.
 */
export function isStreamKind(kind: number): boolean {
  return kind === 0 || kind === 2 || kind === 4 || kind === 5 || kind === 6;
}

/** Bytes before the data in the payload of a STREAM frame. */
export function streamPayloadHeaderSize(streamOffset: number): number {
  return 1 + varintSize(streamOffset);
}

/**
 * Writes kind and stream offset at `offset` of `target`.
 *
 * @returns The offset behind them, where the data goes.
 */
export function writeStreamPayloadHeader(
  target: Uint8Array,
  offset: number,
  kind: number,
  streamOffset: number,
): number {
  if (!isStreamKind(kind)) {
    throw new SttError("INTERNAL", `cannot write STREAM payload: kind ${kind} does not exist`);
  }
  if (offset >= target.length) {
    throw new SttError("INTERNAL", `cannot write STREAM payload: no room at offset ${offset}`);
  }
  target[offset] = kind;
  return writeVarint(target, offset + 1, streamOffset);
}

/**
 * Parses the decrypted payload of a STREAM frame: kind, varint offset, data.
 *
 * @returns `into`, whose `data` is a view of `payload`.
 * @throws {SttError} `PROTOCOL` for an empty payload, a kind that does not exist, a malformed offset, or data that ends
 * above 2^53-1.
 *
 * @example
 * ```ts
 * import { fromHex, parseStreamPayload, StreamPayload } from "@seigr/stt/codec";
 * import assert from "node:assert/strict";
 * const { kind, offset, data } = parseStreamPayload(fromHex("0580016869"), new StreamPayload());
 * assert.deepEqual([kind, offset, data.length], [5, 128, 2]);
 * ```
 */
export function parseStreamPayload(payload: Uint8Array, into: StreamPayload): StreamPayload {
  const kind = payload[0];
  if (kind === undefined) throw decodeError("PROTOCOL", "STREAM payload", "it is empty", 0);
  if (!isStreamKind(kind)) {
    throw decodeError("PROTOCOL", "STREAM payload", `kind ${kind} does not exist`, 0);
  }
  const offset = readOffset(payload);
  const dataStart = 1 + varintSize(offset);
  if (offset + (payload.length - dataStart) > Number.MAX_SAFE_INTEGER) {
    const limit = Number.MAX_SAFE_INTEGER;
    throw decodeError("PROTOCOL", "STREAM payload", `data ends above ${limit}`, 1, limit);
  }
  into.kind = kind;
  into.offset = offset;
  into.data = payload.subarray(dataStart);
  return into;
}

function readOffset(payload: Uint8Array): number {
  try {
    return readVarintNumber(payload, 1, payload.length);
  } catch (cause) {
    throw new SttError("PROTOCOL", "cannot decode STREAM payload: malformed offset (offset 1)", {
      offset: 1,
      cause,
    });
  }
}
