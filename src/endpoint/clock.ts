/**
 * The one place that reads the clock for the layers below.
 *
 * @module
 */

/** Time for the pure layers. */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Milliseconds since 1970, for the freshness of HELLO. */
  unix(): number;
}

/** Longest delay that timers of all runtimes take; a longer one would be over at once. */
export const MAX_TIMER_MS = 2_147_483_647;

/** The runtime's clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  unix: () => Date.now(),
};
