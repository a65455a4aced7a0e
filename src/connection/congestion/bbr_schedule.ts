/**
 * When to probe for bandwidth.
 *
 * @module
 */

const WAIT_MS = 2_000;
const WAIT_SPREAD_MS = 1_000;
/** A flow probes at least as often as Reno would on a path of this many packets. */
const RENO_ROUNDS = 63;

/** Two to three seconds from one probe to the next, or as many rounds as the path holds packets if that is sooner. */
export class BbrSchedule {
  #sinceMs = 0;
  #waitMs = 0;
  /** The wait without `mostMs`. */
  #longestMs = 0;
  #rounds = 0;

  /** A round trip began. */
  onRound(): void {
    this.#rounds++;
  }

  /**
   * A probe is over: picks the wait for the next. Flows that share a bottleneck must not probe in step, and purity
   * forbids a random source: the low bits of the clock and of the sequence differ enough between two flows.
   *
   * @param nowMs Monotonic milliseconds.
   * @param sequence The highest that has left.
   * @param mostMs Wait no longer than this.
   */
  restart(nowMs: number, sequence: number, mostMs: number = Infinity): void {
    let bits = Math.imul(Math.floor(nowMs * 1000) ^ sequence, 0x9e3779b1);
    bits = Math.imul(bits ^ bits >>> 15, 0x85ebca6b);
    bits = (bits ^ bits >>> 13) >>> 0;
    this.#sinceMs = nowMs;
    this.#rounds = bits & 1;
    this.#longestMs = WAIT_MS + bits / 0x1_0000_0000 * WAIT_SPREAD_MS;
    this.#waitMs = Math.min(this.#longestMs, mostMs);
  }

  /**
   * True when the next probe is due on a path that holds `packets`.
   *
   * @param drained False while the queue of the probe before still stands: one soon after it would find that one.
   */
  isDue(nowMs: number, packets: number, drained: boolean): boolean {
    const waitMs = drained ? this.#waitMs : this.#longestMs;
    return nowMs > this.#sinceMs + waitMs || this.#rounds >= Math.min(RENO_ROUNDS, packets);
  }
}
