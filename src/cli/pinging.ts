/**
 * Round trips to a peer that may never answer.
 *
 * @module
 */
import type { Peer } from "../endpoint/peer.ts";
import { SttError } from "../errors.ts";
import { within } from "./deadline.ts";

/**
 * One round trip in milliseconds. A peer can keep a session alive and answer no ping, so there is an end to waiting.
 *
 * @throws {SttError} IDLE_TIMEOUT; what ended the session; the signal's reason.
 */
export function pingWithin(
  peer: Pick<Peer, "ping">,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<number> {
  const late = (): SttError => {
    return new SttError("IDLE_TIMEOUT", `no pong within ${timeoutMs / 1000} s`);
  };
  return within(timeoutMs, signal, late, (signal) => peer.ping({ signal }));
}
