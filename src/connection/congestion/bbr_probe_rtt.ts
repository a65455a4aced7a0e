/**
 * How long to keep the path nearly empty.
 *
 * @module
 */

const DURATION_MS = 200;

/** From the time at which the flight is small: 200 ms and one round trip, so that its round trip has been measured. */
export class ProbeRttTimer {
  #endMs: number | undefined;
  #roundPassed = false;

  /** The phase begins; the flight is still as large as it was. */
  start(): void {
    this.#endMs = undefined;
    this.#roundPassed = false;
  }

  /** The flight is small from now on, unless it was before. Returns true the first time. */
  onSmallFlight(nowMs: number): boolean {
    if (this.#endMs !== undefined) return false;
    this.#endMs = nowMs + DURATION_MS;
    return true;
  }

  /** A round trip began. */
  onRound(): void {
    if (this.#endMs !== undefined) this.#roundPassed = true;
  }

  /** True when the phase is over. */
  isOver(nowMs: number): boolean {
    return this.#roundPassed && this.hasElapsed(nowMs);
  }

  /** True when the time is over; enough when nothing has been in flight since. */
  hasElapsed(nowMs: number): boolean {
    return this.#endMs !== undefined && nowMs > this.#endMs;
  }
}
