/**
 * Sessions of a pool while somebody uses them.
 *
 * @module
 */
import type { SttError } from "../../errors.ts";
import type { Peer } from "../peer.ts";
import { classifyFailure } from "../requests/failures.ts";
import type { WaitOptions } from "../stream_options.ts";
import type { RequestVerdict } from "./policy.ts";

/** A session that was chosen, until `end`. */
export interface Lease {
  /** Index of its target. */
  readonly target: number;
  /** The session. */
  readonly peer: Peer;
  /**
   * Calls back when the session is given up for its silence: nothing comes of it any more, although its orderly end may
   * take a second longer.
   */
  onLost(listener: (error: SttError) => void): void;
  /** Says how it went; only the first word counts. */
  end(verdict: RequestVerdict): void;
}

/** What gives leases: a {@link SessionPool}. */
export interface LeaseSource {
  /** Targets, of whatever state. */
  readonly targetCount: number;
  /** Chooses a session; see {@link SessionPool.lease}. */
  lease(tried?: ReadonlySet<number>, options?: WaitOptions): Promise<Lease>;
}

/** What an error says about the health of whoever was asked. */
export function verdictOf(error: unknown): RequestVerdict {
  const kind = classifyFailure(error);
  if (kind === "cancelled") return "neutral";
  return kind === "transient" || kind === "timeout" ? "ill" : "well";
}
