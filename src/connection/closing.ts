/**
 * Words and facts of the end of a session (SPEC 9, "Closing").
 *
 * @module
 */
import { decodeRecords } from "../codec/records.ts";
import { REASON_MAX_BYTES } from "../constants.ts";
import { errorCodeOf, ERRORS, SttError } from "../errors.ts";
import type { CloseFacts } from "./events.ts";

const ENCODER = new TextEncoder();

/** Cuts a reason to 256 bytes of UTF-8, never inside a character. */
export function clipReason(text: string): string {
  const encoded = ENCODER.encode(text);
  if (encoded.length <= REASON_MAX_BYTES) return text;
  let end = REASON_MAX_BYTES;
  while (((encoded[end] ?? 0) & 0xc0) === 0x80) end--;
  return new TextDecoder().decode(encoded.subarray(0, end));
}

/** A reason as it goes into a record. */
export function encodeReason(text: string): Uint8Array {
  return ENCODER.encode(clipReason(text));
}

/** A reason that the peer sent. It is for people only: bytes that are not UTF-8 become replacement characters. */
export function decodeReason(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** This side closed with the application's own words. */
export function localClose(code: number, reason: string): CloseFacts {
  const error = code === 0
    ? undefined
    : new SttError(errorCodeOf(code), `session closed: ${reason || describe(code)}`, {
      wire: code,
    });
  return { code, reason: clipReason(reason), remote: false, error, complete: true };
}

/** This side found an error. Internal errors tell the peer nothing. */
export function localFailure(error: SttError): CloseFacts {
  const code = error.wire ?? (ERRORS.PROTOCOL.wire as number);
  const reason = error.code === "INTERNAL" ? "" : clipReason(error.message);
  return { code, reason, remote: false, error, complete: true };
}

/** The peer closed. */
export function remoteClose(code: number, reason: string): CloseFacts {
  if (code === 0) return { code, reason, remote: true, error: undefined, complete: true };
  const text = `session closed by the peer with code 0x${code.toString(16)}: ` +
    (reason === "" ? describe(code) : reason);
  return {
    code,
    reason,
    remote: true,
    error: new SttError(errorCodeOf(code), text, { wire: code, remote: true }),
    complete: true,
  };
}

function describe(code: number): string {
  return code >= 0x100 ? "the application's code" : ERRORS[errorCodeOf(code)].text;
}

/** Whether a CONTROL payload holds SESSION_CLOSE: all that matters once this side has closed. */
export function holdsSessionClose(payload: Uint8Array): boolean {
  return decodeRecords(payload).records.some((record) => record.type === "sessionClose");
}

/** @throws {SttError} `CONFIG` for what is no error number of the wire. */
export function checkCode(code: number): void {
  if (Number.isSafeInteger(code) && code >= 0) return;
  throw new SttError("CONFIG", `cannot use code ${code}: not a whole number from 0 to 2^53-1`);
}

/** Any thrown thing as the one error class. */
export function asSttError(error: unknown): SttError {
  if (error instanceof SttError) return error;
  return new SttError("INTERNAL", "internal error in the connection", { cause: error });
}

/** Codec errors of an authenticated peer go out as PROTOCOL, too large frames as FRAME_ENCODING (SPEC 6.2). */
export function wireFailure(error: SttError): SttError {
  if (error.wire !== null) return error;
  const code = error.code === "FRAME_TOO_LARGE" ? "FRAME_ENCODING" : "PROTOCOL";
  return new SttError(code, error.message, { cause: error });
}
