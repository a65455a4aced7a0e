/**
 * What a listener asks of whoever keeps its tickets.
 *
 * @module
 */
import type { SeedKeys } from "../../crypto/key_schedule.ts";
import type { HandshakeSession, TicketKeeper } from "../../handshake/types.ts";
import type { Peer } from "../peer.ts";

/** Implemented by {@link ResumptionHost}. */
export interface ListenerResumption {
  /** For handshakes. */
  readonly tickets: TicketKeeper;
  /** Whether the peer of a session keeps tickets. */
  resumes(session: HandshakeSession): boolean;
  /**
   * Takes the tickets of a session that is about to be accepted; resolves when that outlasts a crash, with a function to
   * call when it was not accepted after all.
   */
  admit(
    session: HandshakeSession,
    seeds: readonly SeedKeys[],
    unixMs: number,
  ): Promise<() => void>;
  /** Takes an open session, if it was admitted. */
  claim(peer: Peer, session: HandshakeSession): boolean;
}
