/**
 * The pacing rate of controllers that think in windows.
 *
 * @module
 */

import { PACING_MIN_RTT_MS } from "./controller.ts";

const SLOW_START_GAIN = 2;
const AVOIDANCE_GAIN = 1.25;

/**
 * Window over smoothed round trip, times a gain above 1 so that pacing never keeps the window from being filled
 * (RFC 9002, 7.7); twice in slow start, where the window doubles within the round trip.
 *
 * @param window Bytes.
 * @param smoothedMs Smoothed round trip, undefined before the first sample.
 * @param slowStart Whether the window doubles per round trip.
 * @returns Bytes per millisecond; undefined: no pacing.
 */
export function windowPacingRate(
  window: number,
  smoothedMs: number | undefined,
  slowStart: boolean,
): number | undefined {
  if (smoothedMs === undefined || smoothedMs < PACING_MIN_RTT_MS) return undefined;
  return (slowStart ? SLOW_START_GAIN : AVOIDANCE_GAIN) * window / smoothedMs;
}
