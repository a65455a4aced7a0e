/**
 * RETRY: what a responder says instead of taking state (SPEC 6, 6.4).
 *
 * @module
 */
import type { SttValue } from "../codec/values.ts";
import { TAG_BYTES } from "../constants.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { encodeMessage, type MessageFields, messageValue, type Retry } from "./messages.ts";

/** What a RETRY says; what is absent goes out empty. */
export interface RetryContent {
  /** `RETRY_*`. */
  readonly code: number;
  readonly cookie?: Uint8Array;
  readonly versions?: readonly number[];
  readonly suites?: readonly number[];
}

function retryMac(
  provider: CryptoProvider,
  retryKey: Uint8Array,
  fields: MessageFields,
): Uint8Array {
  return provider.hmacSha256(retryKey, messageValue(fields, "mac")).slice(0, TAG_BYTES);
}

/** The complete frame that answers the HELLO with this nonce. */
export function encodeRetry(
  provider: CryptoProvider,
  retryKey: Uint8Array,
  nonce: Uint8Array,
  content: RetryContent,
): Uint8Array {
  // SPEC 6.4: all fields always, so that every RETRY has one shape.
  const fields = new Map<string, SttValue>([
    ["type", "RETRY"],
    ["nonce", nonce],
    ["code", content.code],
    ["cookie", content.cookie ?? new Uint8Array(0)],
    ["versions", [...content.versions ?? []]],
    ["suites", [...content.suites ?? []]],
  ]);
  fields.set("mac", retryMac(provider, retryKey, fields));
  return encodeMessage(fields);
}

/** True when a holder of the seed made this RETRY. */
export function retryVerifies(
  provider: CryptoProvider,
  retryKey: Uint8Array,
  retry: Retry,
): boolean {
  return provider.equal(retry.mac, retryMac(provider, retryKey, retry.fields));
}
