/**
 * HELLOs whose nonce was seen (SPEC 6.3.4, 6.4.2).
 *
 * @module
 */
import type { HalfOpen, HalfOpenTable } from "./half_open.ts";
import { helloNonces } from "./hello_scan.ts";
import type { NonceCache } from "./nonce_cache.ts";
import type { AcceptorDrop, HandshakeSource } from "./types.ts";

/** RESPONSEs sent again to other addresses than that of the HELLO that opened the handshake. */
const MAX_REPEATS_ELSEWHERE = 5;

/**
 * Why a frame is dropped that holds a nonce which was seen, where no check between could end otherwise; undefined for all
 * other frames. A flood of recorded HELLOs ends here: decoding would be most of what they cost.
 */
export function refusalOfSeen(
  frame: Uint8Array,
  from: HandshakeSource,
  nowMs: number,
  halfOpen: HalfOpenTable,
  nonces: NonceCache,
): AcceptorDrop | undefined {
  for (const nonce of helloNonces(frame)) {
    const known = halfOpen.byNonce(nonce);
    if (known === undefined) {
      if (nonces.has(nonce, nowMs)) return "replay";
    } else if (known.repeatsElsewhere >= MAX_REPEATS_ELSEWHERE && !isSource(known, from)) {
      return "duplicate";
    }
  }
  return undefined;
}

/** True where HELLO came from the address that opened the handshake. */
export function isSource({ source }: HalfOpen, from: HandshakeSource): boolean {
  return from.host === source.host && from.port === source.port;
}
