/**
 * HANDSHAKE frames: the only unprotected ones, every header field of which is zero (SPEC 3).
 *
 * @module
 */
import { decodeExactFrame, encodeFrame } from "../codec/frame.ts";
import { FRAME_HANDSHAKE, HANDSHAKE_MAX_BODY, SESSION_ID_BYTES } from "../constants.ts";
import { SttError } from "../errors.ts";

const EMPTY: Uint8Array = new Uint8Array(0);
const NO_SESSION: Uint8Array = new Uint8Array(SESSION_ID_BYTES);

/** The complete frame around a message's value. */
export function encodeHandshakeFrame(value: Uint8Array): Uint8Array {
  return encodeFrame({
    type: FRAME_HANDSHAKE,
    flags: 0,
    sessionId: NO_SESSION,
    sequence: 0,
    timestamp: 0,
    streamId: 0,
    metadata: EMPTY,
    payload: value,
  });
}

/**
 * The value inside a complete HANDSHAKE frame, a view of `bytes`.
 *
 * @throws {SttError} `FRAME_*` for bytes that are not exactly one frame of at most 4096 bytes of body;
 * `HANDSHAKE_MESSAGE` for another type or a header field that is not zero.
 */
export function decodeHandshakeFrame(bytes: Uint8Array): Uint8Array {
  const frame = decodeExactFrame(bytes, { maxBody: HANDSHAKE_MAX_BODY });
  if (frame.type !== FRAME_HANDSHAKE) {
    throw new SttError(
      "HANDSHAKE_MESSAGE",
      `cannot decode handshake frame: type ${frame.type} is not ${FRAME_HANDSHAKE}`,
    );
  }
  // SPEC 3: nothing authenticates this header, so it must not carry anything.
  const zero = frame.flags === 0 && frame.sequence === 0 && frame.timestamp === 0 &&
    frame.streamId === 0 && frame.metadata.length === 0 &&
    frame.sessionId.every((byte) => byte === 0);
  if (!zero) {
    throw new SttError(
      "HANDSHAKE_MESSAGE",
      "cannot decode handshake frame: a header field is not zero",
    );
  }
  return frame.payload;
}
