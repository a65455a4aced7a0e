/**
 * What startup sends before it has samples that mean anything.
 *
 * @module
 */

import { PHASE_GAINS } from "./bbr_phase.ts";
import { INITIAL_WINDOW_PACKETS } from "./controller.ts";

/** Up to this window startup triples it per round instead of doubling it, and is paced by it (`leastInStartup`). */
const TRIPLING_PACKETS = 300;
/** How many of these windows are paced over a round trip. */
const WINDOWS_PER_ROUND = 3;
/** On shorter paths that rate would raise the window in turn, which is at least what timers let go (`workableFlight`). */
const FLOOR_MIN_RTT_MS = 10;

/** True while startup triples a window of so many bytes. */
export function isTripling(window: number, mtu: number): boolean {
  return window < TRIPLING_PACKETS * mtu;
}

/**
 * What little a handshake sends says nothing about the path, and a sample is a round trip old: while the window
 * triples, a third of a round trip is enough for it.
 *
 * @param window Bytes.
 * @param minRttMs The lowest round trip, Infinity for none.
 * @param mtu Bytes of a full packet.
 * @returns The least bandwidth to be paced for, in bytes per ms.
 */
export function leastInStartup(window: number, minRttMs: number, mtu: number): number {
  const rtt = Math.max(minRttMs, 1);
  const initial = INITIAL_WINDOW_PACKETS * mtu;
  if (rtt < FLOOR_MIN_RTT_MS || !isTripling(window, mtu)) return initial / rtt;
  return Math.max(initial, window * WINDOWS_PER_ROUND / PHASE_GAINS.startup.pacing) / rtt;
}
