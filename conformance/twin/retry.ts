/** SPEC 6.4: RETRY and cookies. @module */
import { bigEndian, concat, hex, readBigEndian, same, unhex } from "./bytes.ts";
import { encodeFields, type Fields, handshakeFrame, without } from "./messages.ts";
import type { MessageData } from "./handshake.ts";
import { hkdf, hmac } from "./primitives.ts";

export interface CookieInputs {
  readonly secret: string;
  /** 4 or 16 bytes, hex. */
  readonly ip: string;
  readonly port: number;
}

export function cookieOf(input: CookieInputs, nonce: Uint8Array, minute: number): Uint8Array {
  const counter = bigEndian(BigInt(minute), 4);
  const port = bigEndian(BigInt(input.port), 2);
  const tag = hmac(unhex(input.secret), unhex(input.ip), port, nonce, counter);
  return concat(counter, tag.slice(0, 16));
}

/** True when `cookie` was made for this address and nonce, at most two minutes ago. */
export function cookieHolds(
  input: CookieInputs,
  nonce: Uint8Array,
  cookie: Uint8Array,
  nowMs: bigint,
): boolean {
  if (cookie.length !== 20) return false;
  const minute = Number(readBigEndian(cookie.slice(0, 4)));
  const age = Number(nowMs / 60000n) - minute;
  return age >= 0 && age <= 4 && same(cookieOf(input, nonce, minute), cookie);
}

export function retryMac(seed: Uint8Array, fields: Fields): Uint8Array {
  return hmac(hkdf(seed, "stt1 retry", 32), encodeFields(without(fields, "mac"))).slice(0, 16);
}

export interface RetryContent {
  readonly nonce: Uint8Array;
  readonly code: number;
  readonly cookie?: Uint8Array;
  readonly versions?: readonly number[];
  readonly suites?: readonly number[];
}

export function makeRetry(seed: Uint8Array, content: RetryContent): MessageData {
  const ints = (list: readonly number[] = []): { list: { int: string }[] } => ({
    list: list.map((item) => ({ int: String(item) })),
  });
  const head: Fields = {
    type: { text: "RETRY" },
    nonce: { bytes: hex(content.nonce) },
    code: { int: String(content.code) },
    cookie: { bytes: hex(content.cookie ?? new Uint8Array(0)) },
    versions: ints(content.versions),
    suites: ints(content.suites),
  };
  const fields: Fields = { ...head, mac: { bytes: hex(retryMac(seed, head)) } };
  const value = encodeFields(fields);
  return { fields, value: hex(value), frame: hex(handshakeFrame(value)) };
}
