/**
 * Flights that follow from what a path holds.
 *
 * @module
 */

const MINIMUM_PACKETS = 4;
/** Room left for others while not probing. */
const HEADROOM = 0.15;
/** Timers fire once per ms at most, so a sender acts on what that much time delivers; three such lots are needed. */
const QUANTUM_MS = 1;
const QUANTUM_LOTS = 3;

/** The smallest window that BBR ever has, in bytes. */
export function minimumFlight(mtu: number): number {
  return MINIMUM_PACKETS * mtu;
}

/**
 * The smallest flight that keeps a sender busy whose timers and packets are as coarse as they are.
 *
 * @param flight What the path holds, in bytes.
 * @param pacingRate Bytes per ms.
 * @param mtu Bytes of a full packet.
 */
export function workableFlight(flight: number, pacingRate: number, mtu: number): number {
  const quantum = Math.max(pacingRate * QUANTUM_MS, 2 * mtu);
  return Math.max(flight, QUANTUM_LOTS * quantum, minimumFlight(mtu));
}

/**
 * What may be in flight between probes.
 *
 * @param high The upper bound of the flight, Infinity for none.
 * @param mtu Bytes of a full packet.
 */
export function flightWithHeadroom(high: number, mtu: number): number {
  if (high === Infinity) return Infinity;
  return Math.max(high - Math.max(high * HEADROOM, mtu), minimumFlight(mtu));
}
