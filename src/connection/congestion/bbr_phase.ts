/**
 * The phases of BBR and the gains of each.
 *
 * @module
 */

/** Where BBR stands; also what statistics show. */
export type BbrPhase =
  | "startup"
  | "drain"
  | "probe_bw_down"
  | "probe_bw_cruise"
  | "probe_bw_refill"
  | "probe_bw_up"
  | "probe_rtt";

/** Factors on the bandwidth and on bandwidth times round trip. */
export interface PhaseGains {
  /** Of the pacing rate. */
  readonly pacing: number;
  /** Of the window. */
  readonly window: number;
}

/**
 * Startup: 4 ln 2 doubles the rate per round. Drain empties within a round what startup queued. Up fills a queue by a
 * quarter of the flight per round; down takes it away more slowly, since others may have caused it.
 */
export const PHASE_GAINS: Readonly<Record<BbrPhase, PhaseGains>> = {
  startup: { pacing: 4 * Math.LN2, window: 2 },
  drain: { pacing: 0.5, window: 2 },
  probe_bw_down: { pacing: 0.9, window: 2 },
  probe_bw_cruise: { pacing: 1, window: 2 },
  probe_bw_refill: { pacing: 1, window: 2 },
  probe_bw_up: { pacing: 1.25, window: 2.25 },
  probe_rtt: { pacing: 1, window: 0.5 },
};

/** True while more than the estimate is being tried: losses of such a time are judged by the upper bound only. */
export function isProbingBandwidth(phase: BbrPhase): boolean {
  return phase === "startup" || phase === "probe_bw_refill" || phase === "probe_bw_up";
}
