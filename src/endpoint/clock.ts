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

/** The runtime's clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  unix: () => Date.now(),
};
