/**
 * The bytes of requests and replies (SPEC 12.9).
 *
 * @module
 */
import { varintSize, writeVarint } from "../../codec/varint.ts";
import type { SttValue } from "../../codec/values.ts";
import { SttError } from "../../errors.ts";
import { type Block, encodeServiceBlock, isCount } from "../service_block.ts";

/** Bytes of UTF-8 that the name of an endpoint may have. */
export const NAME_MAX_BYTES = 255;
/** Bytes of UTF-8 that the reason of a failure may have. */
export const REASON_MAX_BYTES = 256;
/** What stands where the length of an item would: a failure follows. */
const FAILURE_MARK = 0;

const UTF8: TextEncoder = new TextEncoder();

/** What a request begins with. */
export interface RequestHeader {
  /** Name of the endpoint. */
  readonly to: string;
  /** Milliseconds that the answer may take, 1 to 2^53-1; absent: any. */
  readonly deadline?: number;
}

/** Why there is no answer, or no further one. */
export interface Failure {
  /** A code of SPEC 9.2 below 0x100; 0x100 and above are the application's. Never 0. */
  readonly error: number;
  /** For people, at most 256 bytes of UTF-8. */
  readonly reason: string;
}

function malformed(why: string): SttError {
  return new SttError("PROTOCOL", `cannot decode request: ${why}`);
}

/**
 * Checks the name of an endpoint: 1 to 255 bytes of UTF-8 without control characters.
 *
 * @returns what is wrong with it, or undefined.
 */
export function nameFault(name: string): string | undefined {
  if (typeof name !== "string") return `${typeof name} is no string`;
  const size = UTF8.encode(name).length;
  if (size === 0 || size > NAME_MAX_BYTES) return `${size} bytes are not 1 to ${NAME_MAX_BYTES}`;
  if (/[\p{Cc}\p{Cs}]/u.test(name)) return "it has a control character or half a character";
  return undefined;
}

/** @throws {SttError} CONFIG for a name that no endpoint can have, or a deadline out of range. */
export function encodeRequestHeader({ to, deadline }: RequestHeader): Uint8Array {
  const fault = nameFault(to);
  if (fault !== undefined) throw new SttError("CONFIG", `cannot name endpoint: ${fault}`);
  const fields = new Map<string, SttValue>([["stt", "request"], ["to", to]]);
  if (deadline !== undefined) fields.set("deadline", deadline);
  return encodeServiceBlock(fields, "request");
}

/** @throws {SttError} UNSUPPORTED for another service, PROTOCOL for a malformed header. */
export function decodeRequestHeader(block: Block): RequestHeader {
  const service = block.get("stt");
  if (typeof service !== "string") throw malformed("the first block names no service");
  if (service !== "request") {
    throw new SttError("UNSUPPORTED", "cannot take stream: it asks for another service");
  }
  const to = block.get("to");
  const deadline = block.get("deadline");
  if (typeof to !== "string") throw malformed("the name of the endpoint is not a string");
  const fault = nameFault(to);
  if (fault !== undefined) throw malformed(`the name of the endpoint: ${fault}`);
  if (deadline === undefined) return { to };
  if (!isCount(deadline) || deadline === 0) {
    throw malformed("the deadline is not a whole number from 1");
  }
  return { to, deadline };
}

/** One item, behind its length plus one. */
export function encodeItem(item: Uint8Array): Uint8Array {
  const start = varintSize(item.length + 1);
  const bytes = new Uint8Array(start + item.length);
  writeVarint(bytes, 0, item.length + 1);
  bytes.set(item, start);
  return bytes;
}

/** What ends a reply that failed. A longer reason is cut. */
export function encodeFailure({ error, reason }: Failure): Uint8Array {
  const block = encodeServiceBlock(
    new Map<string, SttValue>([["error", error], ["reason", cutReason(reason)]]),
    "failure",
  );
  const bytes = new Uint8Array(1 + block.length);
  bytes[0] = FAILURE_MARK;
  bytes.set(block, 1);
  return bytes;
}

/** @throws {SttError} PROTOCOL for a malformed failure. */
export function decodeFailure(block: Block): Failure {
  const error = block.get("error");
  const reason = block.get("reason");
  if (!isCount(error) || error === 0) throw malformed("error is not a whole number from 1");
  if (typeof reason !== "string") throw malformed("reason is not a string");
  if (UTF8.encode(reason).length > REASON_MAX_BYTES) {
    throw malformed(`reason is longer than ${REASON_MAX_BYTES} bytes`);
  }
  return { error, reason };
}

/** The longest beginning of whole characters that fits; half surrogate pairs are replaced. */
function cutReason(reason: string): string {
  const bytes = UTF8.encode(reason);
  let end = Math.min(bytes.length, REASON_MAX_BYTES);
  // Not within a character: its further bytes are 10xxxxxx.
  while (end < bytes.length && ((bytes[end] as number) & 0xc0) === 0x80) end--;
  return new TextDecoder().decode(bytes.subarray(0, end));
}
