import { type ErrorCode, SttError } from "../errors.ts";

/**
 * The error of a decoder: what was decoded, what is wrong, where, and the limit that was passed.
 * Built only on the refusing path; decoders never format text while input is good.
 */
export function decodeError(
  code: ErrorCode,
  what: string,
  why: string,
  offset: number,
  limit?: number,
): SttError {
  const message = `cannot decode ${what}: ${why} (offset ${offset})`;
  return new SttError(code, message, limit === undefined ? { offset } : { offset, limit });
}
