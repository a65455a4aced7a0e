/**
 * Nonces of HELLOs that are not decoded yet.
 *
 * @module
 */
import { encodeValue } from "../codec/values.ts";
import { HANDSHAKE_MAX_BODY, NONCE_BYTES } from "../constants.ts";

/** With magic and length. */
const MAX_FRAME_BYTES = HANDSHAKE_MAX_BODY + 4;
const TYPE: Uint8Array = entry("type", "HELLO");
/** The entry up to its 32 bytes. */
const NONCE: Uint8Array = entry("nonce", new Uint8Array(NONCE_BYTES)).subarray(0, -NONCE_BYTES);

/**
 * Views of all places in `frame` where a HELLO's nonce may be, none where it cannot be a HELLO. The nonce of every HELLO is
 * among them, whatever its sender put into other fields; a frame that is broken elsewhere is for the decoder to judge.
 */
export function helloNonces(frame: Uint8Array): Uint8Array[] {
  const nonces: Uint8Array[] = [];
  if (frame.length > MAX_FRAME_BYTES || indexOf(frame, TYPE, 0) < 0) return nonces;
  for (let at = indexOf(frame, NONCE, 0); at >= 0; at = indexOf(frame, NONCE, at + NONCE.length)) {
    const start = at + NONCE.length;
    const end = start + NONCE_BYTES;
    if (end <= frame.length) nonces.push(frame.subarray(start, end));
  }
  return nonces;
}

/** An entry of a dict. */
function entry(name: string, value: string | Uint8Array): Uint8Array {
  return encodeValue({ [name]: value }).subarray(1 + 4);
}

function indexOf(bytes: Uint8Array, part: Uint8Array, from: number): number {
  const last = bytes.length - part.length;
  for (let start = from; start <= last; start++) {
    let index = 0;
    while (index < part.length && bytes[start + index] === part[index]) index++;
    if (index === part.length) return start;
  }
  return -1;
}
