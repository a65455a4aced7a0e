/**
 * What a listener tells and counts.
 *
 * @module
 */
import type { SttError } from "../errors.ts";
import type { Peer } from "./peer.ts";

/** Events of a `Listener`. */
export interface ListenerEvents {
  /** A session is open; the same peer comes out of the iterator. */
  readonly peer: Peer;
  /**
   * A transport connection ended before a session stood: a wrong seed, noise, a refusal. Over UDP only refusals: what
   * strangers send belongs to no connection and is counted in `drops`.
   */
  readonly rejected: { readonly remoteAddress: string; readonly error: SttError };
  /** The listening socket itself failed. */
  readonly error: SttError;
}

/** Counters of a listener. */
export interface ListenerStats {
  /** The bound address. */
  readonly address: string;
  /** The listener's identity as hex. */
  readonly nodeId: string;
  /** Sessions that stand now. */
  readonly sessions: number;
  /** Handshakes under way, on reliable transports from the connection on. */
  readonly handshaking: number;
  /** Sessions that were opened, ever. */
  readonly accepted: number;
  /** Transport connections that never became a session, ever. */
  readonly rejected: number;
  /** UDP: packets of sessions that are not here answered with a stateless reset, ever. */
  readonly resets: number;
  /** Handshake frames dropped, by reason; over UDP also datagrams that belong to no session. */
  readonly drops: Readonly<Record<string, number>>;
}
